"""Jinja2 set up as Hugging Face's apply_chat_template sets it up, written from its documentation: sandboxed and
immutable, trimmed blocks, loop controls, `tojson` without HTML escapes, `raise_exception`, `strftime_now`,
`{% generation %}` tags."""

import datetime
import functools
import json

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment


class GenerationTags(jinja2.ext.Extension):
    """The tags mark the assistant's text for training; a prompt is rendered through them."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_render_body")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _render_body(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def make_environment(now_unix_s):
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTags, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    now = datetime.datetime.fromtimestamp(now_unix_s, datetime.timezone.utc).replace(tzinfo=None)
    environment.globals["strftime_now"] = now.strftime
    return environment


@functools.lru_cache(maxsize=4)
def compile_template(source, now_unix_s):
    return make_environment(now_unix_s).from_string(source)


def render(source, bos_token, eos_token, now_unix_s, request):
    """The prompt, or raises whatever the template or Jinja2 raises."""
    template = compile_template(source, now_unix_s)
    variables = {"bos_token": bos_token, "eos_token": eos_token, **request.get("chat_template_kwargs", {})}
    return template.render(
        messages=request["messages"],
        tools=request.get("tools"),
        documents=request.get("documents"),
        add_generation_prompt=request.get("add_generation_prompt", True),
        **variables)
