"""A report as one HTML file that holds all it shows: it needs no network, now or ever."""

from __future__ import annotations

import base64
import html
import itertools
from collections.abc import Sequence

import plotly.io
from markdown_it import MarkdownIt
from markdown_it.token import Token
from plotly.offline import get_plotlyjs

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study.report.document import Block, Contents, Picture, Plot

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""What the browser may load: nothing but what stands in the file."""

_CONFIG = {
    "responsive": True,
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    # A button that would send the numbers to a server of Plotly's.
    "showSendToCloud": False,
}

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 1rem 1.25rem 4rem; background: #fff;
  color: #222; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; padding-top: .75rem;
  border-top: 1px solid #e4e4e4; }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
p, li { max-width: 60rem; overflow-wrap: anywhere; }
blockquote { margin: 1rem 0; padding: .25rem 1.25rem; background: #eef4f9;
  border-left: 5px solid #0072b2; font-size: 1.08rem; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: #f3f3f3;
  padding: .08em .3em; border-radius: 3px; }
blockquote code { background: #fff; }
pre { background: #f3f3f3; padding: .75rem 1rem; border-radius: 4px; }
pre code { padding: 0; background: none; white-space: pre-wrap; overflow-wrap: anywhere; }
nav { font-size: .92rem; margin: 1rem 0; }
nav a { display: inline-block; margin: 0 .9rem .2rem 0; }
a { color: #005a8e; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .55rem; text-align: left; white-space: nowrap;
  border-bottom: 1px solid #e4e4e4; }
th { border-bottom: 2px solid #767676; background: #fff; }
th:first-child, td:first-child { position: sticky; left: 0; background: #fff; }
tbody tr:hover td { background: #f6f9fb; }
figure { margin: 1rem 0; }
figure.plot { max-width: 100%; overflow: hidden; }
figure img { max-width: 100%; height: auto; }
figcaption { font-size: .9rem; color: #555; }
@media print { nav, .modebar { display: none; } }
"""


def render(title: str, blocks: Sequence[Block]) -> str:
    """The whole file.

    Args:
        title: Of the page.
        blocks: The report.

    Raises:
        RunFolderError: A picture cannot be read.
    """
    text = MarkdownIt("commonmark", {"html": False}).enable("table")
    text.add_render_rule("table_open", _table_open)
    text.add_render_rule("table_close", _table_close)
    sections = _Sections(text)
    rendered = ["" if isinstance(b, Contents) else sections.render(b) for b in blocks]
    body = [
        sections.links() if isinstance(block, Contents) else part
        for block, part in zip(blocks, rendered, strict=True)
    ]
    has_plots = any(isinstance(block, Plot) for block in blocks)
    script = f"<script>{get_plotlyjs()}</script>\n" if has_plots else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n{script}</head>\n"
        f"<body>\n{''.join(body)}</body>\n</html>\n"
    )


class _Sections:
    """Renders blocks, and remembers the headings of the second level."""

    def __init__(self, text: MarkdownIt) -> None:
        self._text = text
        self._names: list[str] = []

    def render(self, block: str | Plot | Picture) -> str:
        if isinstance(block, Plot):
            return _plot(block)
        if isinstance(block, Picture):
            return _picture(block)
        text = self._text
        tokens = text.parse(block)
        for token, inside in itertools.pairwise(tokens):
            if token.type == "heading_open" and token.tag == "h2":
                token.attrSet("id", f"s{len(self._names)}")
                name = text.renderer.render(inside.children or [], text.options, {})
                self._names.append(str(name))
        return str(text.renderer.render(tokens, text.options, {}))

    def links(self) -> str:
        links = (f'<a href="#s{place}">{name}</a>' for place, name in enumerate(self._names))
        return f"<nav>{''.join(links)}</nav>\n"


def _plot(block: Plot) -> str:
    shown = plotly.io.to_html(
        block.figure,
        full_html=False,
        include_plotlyjs=False,
        div_id=block.name,
        config=_CONFIG,
    )
    return f'<figure class="plot">{shown}</figure>\n'


def _picture(block: Picture) -> str:
    try:
        content = base64.b64encode(block.path.read_bytes()).decode("ascii")
    except OSError as error:
        raise RunFolderError(f"cannot read {block.path}: {error.strerror or error}") from None
    caption = html.escape(block.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{content}">'
        f"<figcaption>{caption}</figcaption></figure>\n"
    )


def _table_open(self: object, tokens: Sequence[Token], *_: object) -> str:
    return '<div class="scroll"><table>'


def _table_close(self: object, tokens: Sequence[Token], *_: object) -> str:
    return "</table></div>\n"
