"""The import rule: who may import whom, what pure modules never import, and what the command line leaves alone."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "monitor": {"monitor", "stream", "models", "alerts", "configs"},
    "stream": {"stream"},
    "models": {"models"},
    "alerts": {"alerts"},
    "configs": {"configs"},
}
PURE_FILES = ("stream/*.py", "monitor/core/*.py", "monitor/packs*.py", "monitor/texts.py", "models/types.py")
IMPURE_MODULES = frozenset({
    "asyncio", "concurrent", "httpx2", "logging", "multiprocessing", "os", "pathlib", "random", "requests", "secrets",
    "socket", "sqlite3", "starlette", "subprocess", "tempfile", "threading", "time", "torch", "uuid", "uvicorn",
    "websockets",
})  # fmt: skip
IMPURE_CALLS = frozenset({"now", "utcnow", "today"})
"""Methods of datetime and date that read the clock."""


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if "corpus" not in path.parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported anywhere in a file, `if TYPE_CHECKING` included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield node.lineno, str(node.module)


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_packages_import_only_what_they_may(package: str) -> None:
    forbidden = set(MAY_IMPORT) - MAY_IMPORT[package]
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(package)
        for line, name in imports(path)
        if name.split(".")[0] in forbidden
    ]
    assert wrong == []


def pure_modules() -> list[Path]:
    return sorted({path for pattern in PURE_FILES for path in ROOT.glob(pattern)})


def test_pure_modules_import_nothing_impure() -> None:
    assert len(pure_modules()) > 20
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in pure_modules()
        for line, name in imports(path)
        if name.split(".")[0] in IMPURE_MODULES or name in ("monitor.service", "models.scorer")
    ]
    assert wrong == []


def test_pure_modules_never_read_the_clock() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in pure_modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in IMPURE_CALLS
    ]
    assert wrong == []


def test_the_core_does_not_know_the_service() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted((ROOT / "monitor/core").glob("*.py"))
        for line, name in imports(path)
        if name.startswith(("monitor.service", "monitor.cli", "monitor.config", "monitor.replay"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "module",
    [
        "monitor.cli.main", "monitor.config", "monitor.core.fold", "monitor.replay", "monitor.cli.replay_command",
        "monitor.cli.send_command", "monitor.cli.serve_command", "monitor.loadtest.step", "models.worker",
        "models.directory",
    ],
)  # fmt: skip
def test_torch_stays_out_of(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_help_and_version_import_next_to_nothing() -> None:
    code = (
        "import sys\nfrom monitor.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'asyncio', 'msgspec', 'matplotlib'} & set(sys.modules)))"
    )
    for option in ("--help", "--version"):
        ran = subprocess.run(
            [sys.executable, "-c", code, option], capture_output=True, text=True, timeout=60, check=True
        )
        assert ran.stdout.splitlines()[-1] == "[]"


def tracked_texts() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.split("\0") if name]
    return [ROOT / name for name in names if Path(name).suffix not in BINARY and (ROOT / name).is_file()]


BINARY = frozenset({".png", ".safetensors", ".ico", ".woff2", ".gz", ".bin"})
HOMES = "|".join(("work", "root", "home/[a-z]", "tmp/b", "farm", "opt/p"))
MACHINE_PATH = re.compile(rf"(?<![\w.$}}~-])/(?:{HOMES})[/\w]")
REGISTRY = re.compile(
    "|".join(("pypi" + r"\.org", "pythonhosted" + r"\.org", "registry" + r"\.npmjs", "deb" + r"\.debian"))
)


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine path", "registry host"])
def test_tracked_files_name_no(pattern: re.Pattern[str]) -> None:
    wrong = []
    for path in tracked_texts():
        if any(ROOT / "models" / name in path.parents for name in ("default", "twelve", "corpus")):
            continue
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
            if pattern.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}")
    assert wrong == []
