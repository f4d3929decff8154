// SPDX-License-Identifier: Apache-2.0
//
// The style sheet of a page: light or dark as the reader's system is, black on
// white on paper; and that of a picture that stands alone, which is light.
// Eight colours tell series apart, in an order in which neighbours differ for
// the colour-blind too; text never wears them.

#include "report/figure.h"
#include "report/report.h"

// Colours of series on white.
#define C0 "#2a78d6"
#define C1 "#d9480f"
#define C2 "#0f8a5f"
#define C3 "#b87a00"
#define C4 "#6a4fd0"
#define C5 "#d6336c"
#define C6 "#3b7d23"
#define C7 "#7b7a75"
#define LIGHT                                                              \
    "--c0:" C0 ";--c1:" C1 ";--c2:" C2 ";--c3:" C3 ";--c4:" C4 ";--c5:" C5 \
    ";--c6:" C6 ";--c7:" C7

// In pieces, since a C string need not be longer than 4095 bytes. In order:
// colours of the light and the dark page; type; tiles; charts; colours of
// series; colours of operations; legends; tables and images; configuration;
// narrow pages; print. --c is the colour of whatever carries a class c0 to c7.
const char *const wsr__report_style[] = {
    ":root{color-scheme:light dark;--page:#fcfcfb;--ink:#161615;--soft:#5c5b57;"
    "--rule:#e2e1dc;--card:#f3f2ee;--link:#1a5fb4;" LIGHT "}\n",
    "@media (prefers-color-scheme:dark){:root{--page:#181816;--ink:#ecebe6;"
    "--soft:#a9a8a1;--rule:#3a3935;--card:#232320;--link:#8cbcff;--c0:#5a9cf0;-"
    "-c1:#f2804d;"
    "--c2:#35b58a;--c3:#dda53a;--c4:#a394f5;--c5:#ee7ba4;--c6:#7dbb62;"
    "--c7:#a3a29b}}\n",
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 "
    "system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,"
    "sans-serif}\n"
    "main{max-width:52rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}\n"
    "h1{font-size:1.8rem;line-height:1.2;margin:0 0 .25rem}\n"
    "h2{font-size:1.2rem;margin:2.75rem 0 .5rem;padding-top:.75rem;"
    "border-top:1px solid var(--rule)}\n"
    "h3{font-size:1rem;margin:1.5rem 0 .25rem}\n"
    "p{max-width:80ch;margin:.25rem 0 .75rem}\n"
    "p,figcaption,small,dt{color:var(--soft)}\n",
    // Tiles at the head of the page.
    ".tiles{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.5rem 0 0;"
    "padding:0}\n"
    ".tiles div{background:var(--card);border-radius:8px;padding:.7rem 1rem;"
    "flex:1 1 8.5rem}\n"
    ".tiles dt{font-size:.8rem;line-height:1.3}\n"
    ".tiles dd{margin:.1rem 0 0;font-size:1.35rem;font-weight:600;"
    "line-height:1.3;white-space:nowrap}\n",
    // The list of sections, and links that save something.
    "nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;"
    "margin:1.25rem 0 0;padding:0;font-size:.9rem}\n"
    ".save{font-size:.85rem;margin:.35rem 0 1rem}\n"
    ".save a{margin-left:.35rem}\n",
    // Charts and captions.
    "figure{margin:.5rem 0 1.5rem}\n"
    "figcaption{font-size:.9rem}\n"
    "svg{display:block;width:100%;height:auto;overflow:visible}\n"
    "svg text{font-size:12px;fill:var(--ink)}\n"
    "svg .tick,svg .name,svg .note{fill:var(--soft)}\n"
    "svg .y{text-anchor:end}\n"
    "svg .x,.op text,.state text{text-anchor:middle}\n"
    ".grid,.axis{stroke:var(--rule);fill:none}\n"
    ".axis{stroke:var(--soft)}\n"
    ".line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;"
    "stroke-linecap:round}\n"
    ".bar{fill:none;stroke:var(--c);stroke-width:1.25;opacity:.65}\n"
    ".dot{fill:var(--c);stroke:var(--page);stroke-width:1}\n"
    ".spot{fill:transparent}\n"
    ".share{fill:var(--c)}\n"
    ".d1{stroke-dasharray:8 5}.d2{stroke-dasharray:2 5}"
    ".d3{stroke-dasharray:12 4 2 4}\n"
    "svg.key{display:inline-block;width:2.5rem;height:.75rem;"
    "margin-right:.4rem;vertical-align:middle}\n"
    // A shade at the right where more is hidden there.
    ".wide{overflow-x:auto;background:linear-gradient(to left,var(--page) 40%,"
    "transparent) 100% 0/2.5rem 100% no-repeat local,linear-gradient(to left,"
    "var(--rule),transparent) 100% 0/1rem 100% no-repeat scroll}\n"
    ":focus-visible{outline:2px solid var(--c0);outline-offset:2px}\n"
    ".chance{stroke:var(--soft);stroke-dasharray:4 4;fill:none}\n",
    ".c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}"
    ".c4{--c:var(--c4)}.c5{--c:var(--c5)}.c6{--c:var(--c6)}.c7{--c:var(--c7)}"
    "\n",
    ".sep{--c:var(--c0)}.dil{--c:var(--c1)}.pool{--c:var(--c2)}"
    ".skip{--c:var(--c7)}.factored{--c:var(--c4)}.res{--c:var(--c5)}"
    ".other{--c:var(--c3)}.concat{--c:var(--soft);opacity:.4}\n"
    ".edge{fill:none;stroke:var(--c);stroke-width:1.75}\n"
    ".tip{fill:var(--c)}\n"
    ".op rect{fill:var(--page);stroke:var(--c);stroke-width:1.25}\n"
    ".op text{font-size:11.5px}\n"
    ".state rect{fill:var(--card);stroke:var(--soft)}\n"
    ".state text{font-size:14px}\n"
    ".state .sub{font-size:10px;baseline-shift:sub}\n",
    ".legend{list-style:none;display:flex;flex-wrap:wrap;gap:.15rem 1.25rem;"
    "margin:.5rem 0;padding:0;font-size:.85rem}\n"
    ".legend i{display:inline-block;width:.75rem;height:.75rem;"
    "border-radius:3px;background:var(--c);margin-right:.4rem}\n"
    ".legend b{font-weight:600}\n",
    // Tables, warnings and images.
    "table{border-collapse:collapse;width:100%;font-size:.875rem;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:left;padding:.2rem .6rem .2rem 0;vertical-align:top;"
    "border-bottom:1px solid var(--rule)}\n"
    "th{font-weight:600}\n"
    ".n{text-align:right;white-space:nowrap}\n"
    ".warnings{padding-left:1.25rem}\n"
    ".warnings li{margin:.35rem 0;max-width:80ch}\n"
    "summary{cursor:pointer;font-size:.9rem;margin:.35rem 0}\n"
    "table.samples{width:auto}\n"
    ".sum td{font-weight:600}\n"
    ".samples td{padding:.2rem;border:0;text-align:center;font-size:.8rem}\n"
    ".samples td:first-child{text-align:left;padding-right:.75rem}\n"
    ".samples .class td{padding-top:0;max-width:4.5rem;line-height:1.2;"
    "overflow-wrap:anywhere}\n"
    "a{color:var(--link)}\n"
    ".samples img{display:block;width:4rem;height:4rem;"
    "image-rendering:pixelated}\n",
    // The configuration, in columns where the page is wide.
    ".keys{columns:2 20rem;column-gap:2.5rem}\n"
    ".keys section{break-inside:avoid;margin-bottom:1rem}\n"
    ".keys h3{margin-top:0}\n"
    ".keys td:last-child,code{font-family:ui-monospace,Menlo,Consolas,"
    "monospace;font-size:.8125rem;overflow-wrap:anywhere}\n"
    ".keys td:first-child{white-space:nowrap;width:9.5rem}\n",
    // Charts shrink with the page, what is in them does not; rows of results
    // get the attack on a line of its own; cells are moved sideways.
    "@media screen and (max-width:600px){main{padding:1.25rem .9rem 3rem}"
    "svg.chart text{font-size:18px}svg.chart .odd{display:none}"
    "svg.chart .line{stroke-width:3.2}svg.chart .bar{stroke-width:2}"
    "svg.chart .d1{stroke-dasharray:16 10}svg.chart .d2{stroke-dasharray:4 10}"
    "svg.chart .d3{stroke-dasharray:24 8 4 8}"
    "svg.chart .dot{transform:scale(1.5);transform-box:fill-box;"
    "transform-origin:center}\n"
    "svg.cell{width:46rem;max-width:none!important}"
    ".accuracy,.accuracy tbody{display:block}"
    ".accuracy tr{display:grid;grid-template-columns:6.6rem 3.3rem 3.3rem "
    "1fr 3.3rem}.accuracy td:first-child,.accuracy th:first-child"
    "{grid-column:1/-1}.accuracy td:first-child:empty{display:none}"
    ".accuracy .n{padding-right:.2rem;font-size:.8rem}"
    ".accuracy th.n{white-space:normal}}\n",
    "@media print{:root{color-scheme:light;--page:#fff;--ink:#000;"
    "--soft:#444;--rule:#ccc;--card:#f4f4f4;" LIGHT "}"
    "body{font-size:11pt}main{max-width:none;padding:0}"
    ".save,nav{display:none}.wide{overflow:visible;background:none}"
    "h2+p{break-after:avoid}"
    "figure,.tiles,tr{break-inside:avoid}h2,h3{break-after:avoid}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n",
    NULL};

// Without variables, which programs for drawing do not know.
static const char figure_style[] =
    "text{font:12px Arial,Helvetica,sans-serif;fill:#161615}\n"
    ".tick,.name,.note{fill:#5c5b57}\n"
    ".strong{font-weight:bold}\n"
    ".y{text-anchor:end}\n"
    ".x,.op text,.state text{text-anchor:middle}\n"
    ".grid{fill:none;stroke:#e2e1dc}\n"
    ".axis,.chance{fill:none;stroke:#5c5b57}\n"
    ".chance{stroke-dasharray:4 4}\n"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round;"
    "stroke-linecap:round}\n"
    ".bar{fill:none;stroke-width:1.25;opacity:.65}\n"
    ".dot{stroke:#fff}\n"
    ".spot{fill:none}\n"
    ".d1{stroke-dasharray:8 5}.d2{stroke-dasharray:2 5}"
    ".d3{stroke-dasharray:12 4 2 4}\n"
    ".edge{fill:none;stroke-width:1.75}\n"
    ".op rect{fill:#fff;stroke-width:1.25}\n"
    ".op text{font-size:11.5px}\n"
    ".state rect{fill:#f3f2ee;stroke:#5c5b57}\n"
    ".state text{font-size:14px}\n"
    ".state .sub{font-size:10px;baseline-shift:sub}\n"
    ".concat{opacity:.4;stroke:#5c5b57}.tip.concat{fill:#5c5b57}\n";

// A line in its colour, an area filled with it.
static void add_colour(wsr__str *out, const char *of, const char *colour)
{
    wsr__str_addf(out,
                  ".line.%s,.bar.%s,.edge.%s,.op.%s rect{stroke:%s}"
                  ".dot.%s,.share.%s,.tip.%s{fill:%s}\n",
                  of, of, of, of, colour, of, of, of, colour);
}

void wsr__figure_style(wsr__str *out)
{
    static const char *const colours[][2] = {
        {"c0", C0},       {"c1", C1},  {"c2", C2},   {"c3", C3},
        {"c4", C4},       {"c5", C5},  {"c6", C6},   {"c7", C7},
        {"sep", C0},      {"dil", C1}, {"pool", C2}, {"other", C3},
        {"factored", C4}, {"res", C5}, {"skip", C7}};
    wsr__str_add(out, figure_style);
    for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++) {
        add_colour(out, colours[i][0], colours[i][1]);
    }
}
