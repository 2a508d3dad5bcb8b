#!/usr/bin/env python3
"""The text of the accuracy gate: English prose, code and five other languages, about 250 kB (over 90,000 tokens of
SmolLM2). English and the other languages are manual pages, fetched by package name with apt-get download and
unpacked in a temporary folder; the code is the interpreter's own standard library. Nothing is installed.
Usage: make_gate_text.py OUT. Two machines give the same text when Debian and Python have the same versions: the
SHA-256 is printed, and figures are comparable only between equal ones."""
import gzip
import hashlib
import pathlib
import random
import re
import subprocess
import sys
import sysconfig
import tempfile

PACKAGES = {"": "manpages", "de": "manpages-de", "fr": "manpages-fr", "es": "manpages-es", "ru": "manpages-ru",
            "ja": "manpages-ja"}
ENGLISH_CHARACTERS = 95_000
CODE_CHARACTERS = 60_000
OTHER_CHARACTERS = 16_000  # of each language
PIECE_CHARACTERS = 4_000   # of one page or module, so that many are seen


def page_text(path: pathlib.Path) -> str:
    """A manual page's running text: requests and font changes dropped."""
    lines = gzip.decompress(path.read_bytes()).decode("utf-8", "replace").splitlines()
    return "\n".join(re.sub(r"\\f[A-Z]|\\[-&]", "", line) for line in lines if not line.startswith((".", "'")))


def take(texts, limit: int) -> str:
    pieces, total = [], 0
    for text in texts:
        if len(text) < 1_000:
            continue
        pieces.append(text[:PIECE_CHARACTERS])
        total += len(pieces[-1])
        if total >= limit:
            break
    return "\n".join(pieces)


def pages(folder: pathlib.Path, language: str):
    package = PACKAGES[language]
    subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    archive = next(folder.glob(f"{package}_*.deb"))
    subprocess.run(["dpkg-deb", "-x", archive, folder / package], check=True)
    found = sorted((folder / package / "usr/share/man" / language).glob("man[1-8]/*.gz"))
    random.Random(1).shuffle(found)
    return (page_text(path) for path in found if not path.is_symlink())


def modules():
    found = sorted(pathlib.Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    random.Random(1).shuffle(found)
    return (path.read_text(encoding="utf-8", errors="replace") for path in found)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        parts = [take(pages(folder, ""), ENGLISH_CHARACTERS), take(modules(), CODE_CHARACTERS)]
        parts += [take(pages(folder, language), OTHER_CHARACTERS) for language in PACKAGES if language]
    text = "\n".join(parts)
    pathlib.Path(sys.argv[1]).write_text(text, encoding="utf-8")
    print(f"{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
