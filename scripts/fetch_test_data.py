#!/usr/bin/env python3
"""Fetches the vocabularies and chat templates that tests compare with, into the cache.

They are llama.cpp's own test files: 19 vocabularies (GGUF without weights), 15 of them with inputs and expected
tokens, and 70 chat templates. They come out of the source distribution of the Python package llama-cpp-python,
which pip downloads by name; its checksum is pinned. Nothing of it is compiled, and nothing is committed.

Idempotent: when every extracted file is there and whole, the network is not asked.
Target: $TWOSTROKE_TEST_DATA, else ${XDG_CACHE_HOME:-~/.cache}/twostroke/test-data, with the folders
vocabularies/ and templates/. Prints that folder as its last line.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "llama-cpp-python==0.3.36"
SDIST = "llama_cpp_python-0.3.36.tar.gz"
SDIST_SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
MODELS = "llama_cpp_python-0.3.36/vendor/llama.cpp/models/"
MANIFEST = "manifest.json"  # relative path -> SHA-256 of what was extracted


def say(message):
    print(f"fetch_test_data: {message}", flush=True)


def target_folder():
    if folder := os.environ.get("TWOSTROKE_TEST_DATA"):
        return pathlib.Path(folder)
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "twostroke" / "test-data"


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def is_complete(folder):
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return manifest["sdist"] == SDIST_SHA256 and all(
            sha256(folder / name) == digest for name, digest in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def download(folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    # pip asks a source distribution for its metadata, which fetches the package's build system (pure Python) into
    # a temporary environment; nothing is compiled.
    command += ["--no-binary", ":all:", "--dest", str(folder), PACKAGE]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    path = folder / SDIST
    if not path.exists():
        sys.exit(f"fetch_test_data: error: pip could not download {PACKAGE}:\n{result.stderr[-2000:]}")
    if (found := sha256(path)) != SDIST_SHA256:
        sys.exit(f"fetch_test_data: error: {SDIST} has SHA-256 {found}, expected {SDIST_SHA256}")
    return path


def extracted_name(member):
    """Where a member of the archive goes, or None."""
    if not member.isfile() or not member.name.startswith(MODELS):
        return None
    name = member.name[len(MODELS):]
    if name.startswith("ggml-vocab-") and name.endswith((".gguf", ".inp", ".out")) and "/" not in name:
        return "vocabularies/" + name
    if name.startswith("templates/") and name.count("/") == 1:
        return name
    return None


def extract(sdist, folder):
    files = {}
    with tarfile.open(sdist) as archive:
        for member in archive:
            name = extracted_name(member)
            if name is None:
                continue
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.extractfile(member) as source, open(path, "wb") as copy:
                shutil.copyfileobj(source, copy)
            files[name] = sha256(path)
    (folder / MANIFEST).write_text(json.dumps({"sdist": SDIST_SHA256, "files": files}, indent=1))
    return len(files)


def main():
    target = target_folder()
    if is_complete(target):
        say("test data: all there")
        print(target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    say(f"downloading {PACKAGE} (77 MB)")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as work:
        fresh = pathlib.Path(work) / "fresh"
        fresh.mkdir()
        count = extract(download(pathlib.Path(work)), fresh)
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    say(f"extracted {count} files")
    print(target)


if __name__ == "__main__":
    main()
