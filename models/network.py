"""The network: a stock `BertForSequenceClassification` whose last layer pools, and its lean forward pass.

The pretrained encoder was trained with mean pooling, the stock class reads the first token. So one more `BertLayer` is
appended that starts as the mean: its queries and keys are zero (uniform attention over all tokens), its values and
output the identity, its feed-forward part zero. Trained on, it becomes attention pooling; only its first row is needed.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.labels import ALL_LABELS


def build(encoder: Any) -> Any:
    """A `BertForSequenceClassification` over `encoder` (a `BertModel`), with the pooling layer and a fresh head."""
    from transformers import BertConfig, BertForSequenceClassification

    values = encoder.config.to_dict()
    values.update(
        num_hidden_layers=encoder.config.num_hidden_layers + 1,
        id2label=dict(enumerate(ALL_LABELS)),
        label2id={name: i for i, name in enumerate(ALL_LABELS)},
        problem_type="multi_label_classification",
        architectures=["BertForSequenceClassification"],
    )
    config = BertConfig.from_dict(values)
    config._attn_implementation = "eager"
    model = BertForSequenceClassification(config)
    model.bert.embeddings.load_state_dict(encoder.embeddings.state_dict())
    for ours, theirs in zip(model.bert.encoder.layer, encoder.encoder.layer, strict=False):
        ours.load_state_dict(theirs.state_dict())
    start_as_mean(model.bert.encoder.layer[-1])
    return model


def start_as_mean(layer: Any) -> None:
    """Make a `BertLayer` the mean over its tokens, plus the token itself."""
    attention = layer.attention
    with torch.no_grad():
        for part in (attention.self.query, attention.self.key, layer.output.dense):
            part.weight.normal_(std=1e-3)
            part.bias.zero_()
        for part in (attention.self.value, attention.output.dense):
            part.weight.copy_(torch.eye(part.weight.shape[0]))
            part.bias.zero_()


def _split(x: Tensor, heads: int) -> Tensor:
    """`[batch, tokens, hidden]` to `[batch, heads, tokens, hidden / heads]`."""
    batch, tokens, hidden = x.shape
    return x.view(batch, tokens, heads, hidden // heads).transpose(1, 2)


def layer_forward(
    layer: Any, hidden: Tensor, bias: Tensor | None, dropout: float = 0.0, rows: int | None = None
) -> Tensor:
    """One `BertLayer`: `hidden` `[batch, tokens, h]`, `bias` `[batch, 1, 1, tokens]` added to the attention logits
    (None: nothing is padded). With `rows` only so many first tokens' rows come out, `[batch, rows, h]`."""
    own = layer.attention.self
    asking = hidden if rows is None else hidden[:, :rows].contiguous()
    heads = own.num_attention_heads
    query, key, value = (_split(f(x), heads) for f, x in ((own.query, asking), (own.key, hidden), (own.value, hidden)))
    logits = torch.matmul(query * (query.shape[-1] ** -0.5), key.transpose(-1, -2))
    if bias is not None:
        logits = logits + bias
    mixed = torch.matmul(logits.softmax(-1), value).transpose(1, 2).flatten(2)
    out = layer.attention.output.dense(mixed)
    middle = layer.attention.output.LayerNorm(_drop(out, dropout) + asking)
    inner = layer.output.dense(F.gelu(layer.intermediate.dense(middle)))
    normed: Tensor = layer.output.LayerNorm(_drop(inner, dropout) + middle)
    return normed


def _drop(x: Tensor, p: float) -> Tensor:
    return F.dropout(x, p) if p > 0.0 else x


def attention_bias(mask: Tensor) -> Tensor | None:
    """`[batch, tokens]` 0/1 to `[batch, 1, 1, tokens]` of 0 and a large negative; None where nothing is padded."""
    if bool(mask.all()):
        return None
    return (1.0 - mask[:, None, None, :].to(torch.float32)) * torch.finfo(torch.float32).min


def lower(model: Any, ids: Tensor, types: Tensor, mask: Tensor, layers: int) -> Tensor:
    """Embeddings and the first `layers` layers, `[batch, tokens, h]`."""
    hidden: Tensor = model.bert.embeddings(input_ids=ids, token_type_ids=types)
    bias = attention_bias(mask)
    for layer in model.bert.encoder.layer[:layers]:
        hidden = layer_forward(layer, hidden, bias)
    return hidden


def middle(model: Any, hidden: Tensor, bias: Tensor | None, layers: int, dropout: float = 0.0) -> Tensor:
    """Layer `layers` up to the pooling layer, `[batch, tokens, h]`."""
    for layer in model.bert.encoder.layer[layers:-1]:
        hidden = layer_forward(layer, hidden, bias, dropout)
    return hidden


def pooled(model: Any, hidden: Tensor, bias: Tensor | None, dropout: float = 0.0) -> Tensor:
    """The pooling layer and the head: logits `[batch, outputs]`."""
    first = layer_forward(model.bert.encoder.layer[-1], hidden, bias, dropout, rows=1)
    logits: Tensor = model.classifier(_drop(torch.tanh(model.bert.pooler.dense(first)), dropout))[:, 0]
    return logits


def upper(model: Any, hidden: Tensor, mask: Tensor, layers: int, dropout: float = 0.0) -> Tensor:
    """The rest from layer `layers` on: logits `[batch, outputs]`."""
    bias = attention_bias(mask)
    return pooled(model, middle(model, hidden, bias, layers, dropout), bias, dropout)


def trainable(model: Any, layers: int) -> list[tuple[str, nn.Parameter]]:
    """Named parameters above the frozen part."""
    frozen = (*tuple(f"bert.encoder.layer.{i}." for i in range(layers)), "bert.embeddings.")
    return [(name, p) for name, p in model.named_parameters() if not name.startswith(frozen)]


def save(model: Any, encoder: Any, folder: Any) -> None:
    """A directory for `AutoModelForSequenceClassification`: float16 weights that load as float32, and the tokenizer
    of the directory `encoder`."""
    import copy
    import json
    import shutil

    half = copy.deepcopy(model).to(torch.float16)
    half.save_pretrained(folder, safe_serialization=True)
    path = folder / "config.json"
    config = json.loads(path.read_text("utf-8"))
    config["dtype"] = "float32"
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", "utf-8")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(encoder / name, folder / name)
