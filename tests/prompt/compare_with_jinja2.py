"""Renders real chat templates with our ChatTemplate and with Jinja2 set up as Hugging Face does, and wants the same
bytes, a refusal from both, or a difference that is listed here with its reason.

usage: compare_with_jinja2.py RENDER_TEMPLATES_BINARY
Templates: every *.jinja below $TWOSTROKE_TEST_DATA, and the one in the GGUF file $TWOSTROKE_MODEL."""

import json
import os
import pathlib
import subprocess
import sys

SKIPPED = 77

try:
    import hugging_face
except ImportError as error:
    print(f"skipped: {error} (tests/requirements.txt lists what is needed)")
    sys.exit(SKIPPED)
import gguf_template
from conversations import CONVERSATIONS, SAME_IN_OTHER_SHAPE

NOW_UNIX_S = 1_700_000_000
BOS, EOS = "<s>", "</s>"

# (template, conversation): why ours differs. One that stops differing must be taken off the list.
NONE_AS_LIST = "Python refuses to iterate over tools or documents that are None; ours takes None as an empty list"
GENERATOR = "Python refuses to write a generator as JSON; ours writes its items"
SAFE = "`|safe` makes Jinja2 escape what is added to it as HTML; ours, without escaping, keeps the text"
FLOAT = "printed without tojson, numbers outside [1e-4, 1e16) look different: 1e-5 or 0.00001 for 1e-05"
WITH_TOOLS = [label for label, request in CONVERSATIONS.items() if "tools" in request]
WITHOUT_TOOLS = [label for label in CONVERSATIONS if label not in WITH_TOOLS and label != "parts"]
KNOWN_DIFFERENCES = {
    (template, conversation): reason
    for template, conversations, reason in [
        ("Cohere2MoE", ["documents_and_variables"], NONE_AS_LIST),
        ("CohereForAI-c4ai-command-r7b-12-2024-tool_use", ["documents_and_variables"], NONE_AS_LIST),
        *((name, WITHOUT_TOOLS, NONE_AS_LIST) for name in [
            "CohereForAI-c4ai-command-r-plus-tool_use", "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
            "NousResearch-Hermes-3-Llama-3.1-8B-tool_use"]),
        ("llama-cpp-deepseek-r1", WITH_TOOLS, GENERATOR),
        ("meetkai-functionary-medium-v3.1", WITH_TOOLS, SAFE),
        *((name, ["odd_numbers"], FLOAT) for name in [
            "Apriel-1.6-15b-Thinker-fixed", "unsloth-Apriel-1.5", "GigaChat3-10B-A1.8B", "GigaChat3.1-10B-A1.8B",
            "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "Qwen3-Coder", "meetkai-functionary-medium-v3.2"]),
    ]
    for conversation in conversations
}


def find_templates():
    templates = {}
    data = os.environ.get("TWOSTROKE_TEST_DATA")
    if data:
        for path in sorted(pathlib.Path(data).rglob("*.jinja")):
            templates[path.stem] = path.read_text(encoding="utf-8")
    model = os.environ.get("TWOSTROKE_MODEL")
    if model and os.path.isfile(model):
        source = gguf_template.read_chat_template(model)
        if source is not None:
            templates["(the default model)"] = source
    return templates


def expected(source, request):
    try:
        return {"text": hugging_face.render(source, BOS, EOS, NOW_UNIX_S, request)}
    except Exception as error:  # whatever a template makes Python raise is a refusal
        return {"error": f"{type(error).__name__}: {error}"}


def verdict(theirs, ours):
    if "error" in theirs and "error" in ours:
        return "both refuse"
    if "error" in theirs:
        return "only Python refuses"
    if "error" in ours:
        return "only ours refuses"
    return "identical" if theirs["text"] == ours["text"] else "differ"


def explain(theirs, ours):
    """Both outcomes in two short lines; of two texts, what surrounds the first difference."""
    if "text" not in theirs or "text" not in ours:
        return f"\n  Jinja2: {str(theirs)[:300]}\n  ours:   {str(ours)[:300]}"
    at = next((i for i, (a, b) in enumerate(zip(theirs["text"], ours["text"])) if a != b),
              min(len(theirs["text"]), len(ours["text"])))
    window = slice(max(0, at - 60), at + 60)
    return f" at character {at}\n  Jinja2: {theirs['text'][window]!r}\n  ours:   {ours['text'][window]!r}"


def run_ours(templates, cases, shaped):
    """cases: (template, request). One reply each."""
    jobs = "".join(
        json.dumps({"source": templates[name], "bos_token": BOS, "eos_token": EOS, "now": NOW_UNIX_S,
                    "request": request, "shaped": shaped}) + "\n" for name, request in cases)
    done = subprocess.run([sys.argv[1]], input=jobs.encode(), stdout=subprocess.PIPE, check=True)
    replies = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert len(replies) == len(cases), f"{len(cases)} jobs, {len(replies)} replies"
    return replies


def check_shapes(templates):
    """What a client may send in two shapes, every template must render as it does the shape it takes."""
    failures = []
    for sent, other in SAME_IN_OTHER_SHAPE:
        replies = run_ours(templates, [(name, CONVERSATIONS[sent]) for name in templates], shaped=True)
        for name, ours in zip(templates, replies):
            outcomes = [expected(templates[name], CONVERSATIONS[label]) for label in (sent, other)]
            texts = [outcome["text"] for outcome in outcomes if "text" in outcome]
            if texts and ours.get("text") not in texts and (name, sent) not in KNOWN_DIFFERENCES:
                failures.append(f"{name} x {sent}, shaped{explain({'text': texts[0]}, ours)}")
    return len(templates) * len(SAME_IN_OTHER_SHAPE), failures


def main():
    templates = find_templates()
    if not templates:
        print("skipped: no templates below TWOSTROKE_TEST_DATA and none in TWOSTROKE_MODEL (make test fetches them)")
        return SKIPPED
    cases = [(name, label) for name in templates for label in CONVERSATIONS]
    replies = run_ours(templates, [(name, CONVERSATIONS[label]) for name, label in cases], shaped=False)
    counts, failures = {}, []
    for (name, label), ours in zip(cases, replies):
        theirs = expected(templates[name], CONVERSATIONS[label])
        outcome = verdict(theirs, ours)
        counts[outcome] = counts.get(outcome, 0) + 1
        agrees = outcome in ("identical", "both refuse")
        if os.environ.get("VERBOSE") and outcome != "identical":
            print(f"{name} x {label}: {outcome}{explain(theirs, ours)}")
        if agrees == ((name, label) in KNOWN_DIFFERENCES):
            what = "is listed as different but agrees" if agrees else outcome
            failures.append(f"{name} x {label}: {what}{explain(theirs, ours)}")
    num_shaped, shape_failures = check_shapes(templates)
    failures += shape_failures
    for failure in failures:
        print(failure)
    print(f"{len(templates)} templates x {len(CONVERSATIONS)} conversations: {counts}")
    for reason in (NONE_AS_LIST, GENERATOR, SAFE, FLOAT):
        count = sum(name in templates and listed == reason for (name, _), listed in KNOWN_DIFFERENCES.items())
        print(f"{count} known differences: {reason}")
    print(f"{len(cases) + num_shaped - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
