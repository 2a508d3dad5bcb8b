"""The anatomy of a prompt, for every real chat template and every shape of conversation: the spans are the rendered text,
byte for byte; their tokens sum to the prompt's with several tokenizers; and each text of the request is in its own
span. The oracle for the last one: every text gets a word that occurs nowhere else, and where that word is in the prompt
the span must be the one of its part.

usage: check_anatomy.py RENDER_TEMPLATES_BINARY"""

import copy
import json
import os
import pathlib
import subprocess
import sys

import compare_with_jinja2
from conversations import CONVERSATIONS, SYSTEM, assistant, user

SKIPPED = 77
HOW = ["marked", "marked except words", "one part at a time", "searched"]

LABELLED = {"messages": [
    SYSTEM,
    user([{"type": "text", "text": "Answer from these."}, {"type": "text", "text": "A paper on bees.", "label": "bees"},
          {"type": "text", "text": "{\"type\": \"object\"}", "label": "schema"}, {"type": "text", "text": "Why?"}])]}
ODD = {"messages": [
    {"role": "system", "content": "  Cutting Knowledge Date: <think> [INST] /no_think user assistant \n"},
    user("..."), assistant("</think>[TOOL_CALLS]"), user("\U000f0001\U0010fffd \u00a0{{ x }} {% y %} user\u2028")]}
SAME = {"messages": [user("Same"), assistant("Same"), user("Same")]}
CASES = {**CONVERSATIONS, "labelled": LABELLED, "odd_texts": ODD, "same_texts": SAME}


def with_words(request):
    """The request with a word of its own in each text, and {word: the source that it must be found in}."""
    request, words = copy.deepcopy(request), {}

    def add(text, source):
        word = f"qzx{len(words)}w"
        words[word] = source
        return f"{text.rstrip()} {word}{text[len(text.rstrip()):]}"

    documents = len(request.get("documents", []))
    for i, message in enumerate(request["messages"]):
        source = "system" if message["role"] == "system" else f"message[{i}]"
        if isinstance(message.get("content"), str):
            if message["content"]:
                message["content"] = add(message["content"], source)
        else:
            for part in message.get("content") or []:
                own = source
                if part.get("label") == "schema":
                    own = "schema"
                elif "label" in part:
                    own, documents = f"document[{documents}]", documents + 1
                part["text"] = add(part["text"], own)
        for call in message.get("tool_calls", []):
            if isinstance(call["function"]["arguments"], dict):
                call["function"]["arguments"]["place"] = add("K\u00f6ln", source)
    for tool in request.get("tools", []):
        if tool["function"]["description"]:
            tool["function"]["description"] = add(tool["function"]["description"], "tools")
    for i, document in enumerate(request.get("documents", [])):
        document["text"] = add(document["text"], f"document[{i}]")
    return request, words


def check(name, label, words, reply):
    """What is wrong with one reply, as lines."""
    wrong = []
    spans = reply["spans"]
    if "".join(span["text"] for span in spans) != reply["text"]:
        wrong.append("the spans are not the text")
    if sum(span["characters"] for span in spans) != len(reply["text"]):
        wrong.append("the characters do not sum")
    if any(a["source"] == b["source"] and a["label"] == b["label"] for a, b in zip(spans, spans[1:])):
        if all(span["source"] != "schema" for span in spans):
            wrong.append("neighbouring spans of one source")
    for counts, total in zip(reply["tokens"], reply["num_tokens"]):
        if sum(counts) != total or min(counts, default=0) < 0:
            wrong.append(f"{counts} is not {total} tokens")
    for word, source in words.items():
        where = {span["source"] for span in spans if word in span["text"]}
        if word in reply["text"] and where != {source}:
            wrong.append(f"{word} of {source} is in {where or 'parts of several spans'}")
    return [f"{name} x {label}: {line} ({HOW[reply['how']]})" for line in wrong]


def find_vocabularies():
    data = pathlib.Path(os.environ.get("TWOSTROKE_TEST_DATA", "/nowhere")) / "vocabularies"
    wanted = ["llama-spm", "llama-bpe", "qwen2", "gemma-4", "phi-3"]
    paths = [data / f"ggml-vocab-{name}.gguf" for name in wanted]
    return [str(path) for path in paths if path.is_file()]


def main():
    templates = compare_with_jinja2.find_templates()
    if not templates:
        print("skipped: no templates below TWOSTROKE_TEST_DATA and none in TWOSTROKE_MODEL (make test fetches them)")
        return SKIPPED
    cases = [(name, label, *with_words(request)) for name in templates for label, request in CASES.items()]
    jobs = "".join(json.dumps({
        "source": templates[name], "bos_token": "<s>", "eos_token": "</s>", "now": 1_700_000_000, "request": request,
        "shaped": True, "anatomy": True}) + "\n" for name, _, request, _ in cases)
    done = subprocess.run([sys.argv[1], *find_vocabularies()], input=jobs.encode(), stdout=subprocess.PIPE, check=True)
    replies = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
    assert len(replies) == len(cases), f"{len(cases)} jobs, {len(replies)} replies"
    failures, methods, num_rendered = [], {}, 0
    for (name, label, _, words), reply in zip(cases, replies):
        if "error" in reply:
            continue
        num_rendered += 1
        methods[HOW[reply["how"]]] = methods.get(HOW[reply["how"]], 0) + 1
        failures += check(name, label, words, reply)
        if os.environ.get("VERBOSE"):
            print(name, label, HOW[reply["how"]])
            for span in reply["spans"]:
                print("   ", span["source"], span["label"], repr(span["text"]))
    for failure in failures:
        print(failure)
    print(f"{len(templates)} templates x {len(CASES)} conversations: {num_rendered} rendered, spans {methods}")
    print(f"{len(failures)} failures")
    return 1 if failures or num_rendered == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
