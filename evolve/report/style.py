"""How the page looks: on a screen, a dark one, a phone and on paper. One style sheet, allowed by its hash."""

import base64
import hashlib

from evolve.report.colours import LEVELS, colour_of

_LIGHT = """
--ground:#ffffff; --raised:#f6f7f9; --ink:#1b1f24; --soft:#59636e; --rule:#d5dae0; --link:#0a5ea8;
--c0:#0072b2; --c1:#c44e00; --c2:#00825d; --c3:#b0508a; --c4:#9a6a00; --c5:#5b5bd6; --c6:#555b63;
--word:#8a1f7a; --string:#0a6b3d; --number:#0a5ea8; --comment:#66707a; --name:#7a4a00;
--new:#e2f4e6; --old:#fbe6e3; --odd:#b3261e; --odd-ground:#fdecea; --good:#00704f; --bad:#b3261e;
"""
_DARK = """
--ground:#14171b; --raised:#1d2127; --ink:#e6e9ed; --soft:#a3adb8; --rule:#363d46; --link:#7cc0ff;
--c0:#63b8f0; --c1:#ff9a52; --c2:#3ecfa0; --c3:#e79ac8; --c4:#e6b93f; --c5:#a9a9ff; --c6:#b3bac2;
--word:#e79ae0; --string:#7fd6a4; --number:#8cc8ff; --comment:#95a0ab; --name:#f0c27a;
--new:#163524; --old:#43211f; --odd:#ffb4ab; --odd-ground:#4a201d; --good:#5fd6ae; --bad:#ff9d94;
"""
_PAGE = """
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;overflow-wrap:break-word;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif}
main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0 .4rem}
h2{font-size:1.25rem;margin:2.6rem 0 .7rem;padding-bottom:.25rem;border-bottom:1px solid var(--rule)}
h3{font-size:1.02rem;margin:1.5rem 0 .5rem}
p{margin:.5rem 0}
a{color:var(--link)}
.note,.caption,figcaption{color:var(--soft);font-size:.88rem}
.badge{display:inline-block;padding:.1rem .6rem;border:1px solid currentColor;border-radius:1rem;font-size:.85rem}
.good{color:var(--good)} .bad{color:var(--bad)}
nav{font-size:.92rem;margin:.8rem 0} nav a{margin-right:1rem;white-space:nowrap}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.6rem;margin:1.2rem 0;padding:0}
.facts div{background:var(--raised);border:1px solid var(--rule);border-radius:.4rem;padding:.55rem .7rem}
.facts dt{font-size:.78rem;color:var(--soft)} .facts dd{margin:0;font-size:1.12rem;font-weight:600;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.values{display:flex;flex-wrap:wrap;gap:.15rem 1.4rem;margin:.4rem 0;align-content:flex-start}
.values dt{color:var(--soft);font-size:.78rem;unicode-bidi:isolate} .values dd{margin:0;unicode-bidi:isolate;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.wide{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums;min-width:40%}
th{text-align:left;font-weight:600;color:var(--soft);border-bottom:1px solid var(--rule)}
th,td{padding:.28rem .9rem .28rem 0;vertical-align:top;unicode-bidi:isolate}
tbody tr+tr td{border-top:1px solid var(--raised)}
.r{text-align:right;white-space:nowrap} th.r{white-space:normal}
small{font-size:.72em;font-weight:600}
.key span{margin-right:1.3rem;white-space:nowrap} .key{font-size:.88rem}
.t{overflow-wrap:anywhere;min-width:7rem}
figure{margin:.8rem 0} .pair{display:grid;
grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:1rem} .pair>*{min-width:0;max-width:32rem}
svg.chart{display:block;max-width:100%;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
svg.legend{display:block;font:11px system-ui,sans-serif;margin:.2rem 0;max-width:100%;height:auto}
svg text{fill:var(--ink)} svg .name{fill:var(--soft)}
.axis{stroke:var(--soft)} .grid{stroke:var(--rule)} .ground{fill:var(--raised);stroke:var(--rule)}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
path[class^=v]{shape-rendering:crispEdges}
.cell{stroke:var(--ground);stroke-width:1} a .cell:hover,a:focus .cell{stroke:var(--ink);stroke-width:2}
svg .on-dark{fill:#fff;font-size:10.5px} svg .on-light{fill:#000;font-size:10.5px}
.edge{fill:none;stroke:var(--soft);stroke-opacity:.55} .main{stroke:var(--c1);stroke-width:2.5;stroke-opacity:1}
.gap{stroke:var(--c1);stroke-width:2;stroke-dasharray:2 4;stroke-opacity:1}
.node{stroke:var(--ink);stroke-width:1} .failed{fill:var(--ground);stroke:var(--bad);stroke-dasharray:2 2}
.bar{fill:var(--c0)} .bar2{fill:var(--c1)} .shape{fill:var(--c0);fill-opacity:.22;stroke:var(--c0)}
td svg.chart{margin-top:.22rem}
.strong{stroke-width:3.5}
.notice{border-left:.25rem solid var(--c4);padding-left:.7rem}
.whole{white-space:nowrap}
.halo{paint-order:stroke;stroke:var(--ground);stroke-width:4px}
.frame{fill:none;stroke:var(--ink)}
pre{margin:.4rem 0;padding:.7rem .8rem;background:var(--raised);border:1px solid var(--rule);border-radius:.4rem;
overflow-x:auto;font:.82rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;tab-size:4}
code{font-family:inherit} p code,td code,li code{font:.88em ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.code{direction:ltr;unicode-bidi:bidi-override}
.odd{color:var(--odd);background:var(--odd-ground);border-radius:.2rem;outline:1px solid currentColor}
.k-word{color:var(--word)} .k-string{color:var(--string)} .k-number{color:var(--number)}
.k-comment{color:var(--comment)} .k-name{color:var(--name)}
.d-new{background:var(--new)} .d-old{background:var(--old)} .d-file,.d-place{color:var(--soft)}
details{margin:.45rem 0} summary{cursor:pointer}
.program{border-top:1px solid var(--rule);padding-top:.3rem} .program h3{margin:.9rem 0 .3rem}
:target{outline:2px solid var(--c1);outline-offset:4px;border-radius:.2rem}
footer{margin-top:3rem;color:var(--soft);font-size:.85rem}
@media(max-width:34rem){main{padding:1rem .8rem 3rem} h1{font-size:1.35rem} .facts{grid-template-columns:1fr 1fr}
.scroll svg.chart{min-width:33rem;max-width:none}}
@media print{html{color-scheme:light} body{font-size:10pt} main{max-width:none;padding:0} nav{display:none}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:7.5pt} .wide{overflow:visible}
figure,.facts div,tr{break-inside:avoid} h2,h3{break-after:avoid} a{color:inherit;text-decoration:none}
details:not([open]),#elites:not(:has(details[open])){display:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
_DASHES = ("none", "7 3", "2 3", "9 3 2 3", "4 2", "1 2", "12 4")


def style_sheet() -> str:
    """The whole style sheet."""
    lines = [
        f".s{place}{{stroke:var(--c{place});stroke-dasharray:{dash}}} .f{place},svg .f{place}{{fill:var(--c{place})}}"
        for place, dash in enumerate(_DASHES)
    ]
    levels = [f".v{level}{{fill:{colour_of(level)}}}" for level in range(LEVELS)]
    light = f":root{{{_LIGHT}}}"
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    return "\n".join([light, dark, _PAGE, *lines, *levels])


def policy(style: str) -> str:
    """A content security policy that allows this style sheet and nothing else: no script, no request."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
