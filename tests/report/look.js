// SPDX-License-Identifier: Apache-2.0
//
// node look.js DIR PAGE.html...
//
// Opens pages in headless Chromium, light and dark, at 400, 800 and 1200 pixels,
// and checks them: axe (WCAG 2.0 to 2.2 A and AA, and its best practices) finds
// nothing, nothing is wider than the page, nothing is loaded, no error is
// logged; what moves sideways can be reached by keys; every link that saves a
// file holds what its name says. Writes a picture of each look, and what a
// printer would get as PDF, into DIR. Needs puppeteer-core and axe-core where
// node finds modules (NODE_PATH), and Chromium (CHROMIUM: its path).

"use strict";

const fs = require("fs");
const path = require("path");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const widths = [400, 800, 1200];
const schemes = ["light", "dark"];
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
              "best-practice"];
let failures = 0;

function complain(where, what)
{
    failures++;
    console.log(`${where}: ${what}`);
}

async function check_axe(page, where)
{
    await page.evaluate(axe);
    const result = await page.evaluate(
        (run_only) => window.axe.run(document, {runOnly: run_only}), tags);
    if (result.passes.length === 0) {
        complain(where, "axe checked nothing");
    }
    for (const v of result.violations) {
        const nodes = v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160));
        complain(where, `${v.id}: ${v.help}\n    ${nodes.join("\n    ")}`);
    }
    return result.passes.length;
}

async function check_width(page, where)
{
    const wide = await page.evaluate(() => {
        const room = document.documentElement.clientWidth;
        return document.documentElement.scrollWidth > room
                   ? [...document.querySelectorAll("body *")]
                         .filter((e) => e.getBoundingClientRect().right > room)
                         .slice(0, 3).map((e) => e.outerHTML.slice(0, 100))
                   : [];
    });
    for (const html of wide) {
        complain(where, `is wider than the page: ${html}`);
    }
}

// Texts of pictures must be legible: at least 9 px on the screen.
async function check_letters(page, where)
{
    const small = await page.evaluate(
        () => [...document.querySelectorAll("svg text, td, p, li, small")]
                  .filter((e) => e.getClientRects().length > 0)
                  .map((e) => {
                      const svg = e.ownerSVGElement;
                      const scale = svg && svg.viewBox.baseVal.width
                                        ? svg.getBoundingClientRect().width /
                                              svg.viewBox.baseVal.width
                                        : 1;
                      return [scale * parseFloat(getComputedStyle(e).fontSize),
                              e.textContent.slice(0, 40)];
                  })
                  .filter((e) => e[0] < 9 && e[1] !== "")
                  .slice(0, 3));
    for (const [size, text] of small) {
        complain(where, `'${text}' has ${size.toFixed(1)} px`);
    }
}

function check_csv(where, name, text)
{
    const lines = text.trimEnd().split("\n");
    const columns = lines[0].split(",").length;
    const whole = lines.every(
        (line) => line.replace(/"([^"]|"")*"/g, "").split(",").length ===
                  columns);
    if (lines.length < 2 || !whole) {
        complain(where, `${name}: is no table of ${columns} columns`);
    }
}

// CSV and JSON of one name are the same rows; pictures are XML that loads
// nothing; LaTeX has as many cells as columns in each row.
async function check_files(page, where)
{
    const links = await page.$$eval(
        "a[download]", (all) => all.map((a) => [a.download, a.href]));
    const files = new Map(links.map(([name, href]) => {
        const data = href.slice(href.indexOf("base64,") + 7);
        return [name, Buffer.from(data, "base64").toString("utf8")];
    }));
    if (files.size !== links.length) {
        complain(where, "two files to save have one name");
    }
    for (const [name, text] of files) {
        const kind = path.extname(name);
        if (kind === ".csv") {
            check_csv(where, name, text);
            const rows = text.trimEnd().split("\n").length - 1;
            const json = files.get(name.replace(/csv$/, "json"));
            if (json === undefined || JSON.parse(json).length !== rows) {
                complain(where, `${name}: has ${rows} rows, its JSON not`);
            }
        } else if (kind === ".svg") {
            const root = await page.evaluate(
                (xml) => new DOMParser().parseFromString(xml, "image/svg+xml")
                             .documentElement.nodeName, text);
            if (root !== "svg" || /href|url\(|@import|var\(/.test(text)) {
                complain(where, `${name}: is not a picture that stands alone`);
            }
        } else if (kind === ".tex") {
            const body = text.split("\\midrule")[1].split("\\bottomrule")[0];
            const columns = /\{tabular\}\{([lr]+)\}/.exec(text)[1].length;
            const rows = body.split("\\\\\n").slice(0, -1);
            if (rows.length === 0 || rows.some(
                    (r) => r.replace(/\\&/g, "").split("&").length !==
                           columns)) {
                complain(where, `${name}: rows have other than ${columns} cells`);
            }
        } else if (kind !== ".json") {
            complain(where, `${name}: is of no known kind`);
        }
    }
    return files;
}

async function look(browser, file, dir)
{
    const name = path.basename(path.dirname(path.resolve(file))) + "-" +
                 path.basename(file, ".html");
    const page = await browser.newPage();
    const loaded = [];
    let passes = 0;
    page.on("request", (r) => loaded.push(r.url()));
    page.on("console", (m) => complain(name, `logs: ${m.text()}`));
    page.on("pageerror", (e) => complain(name, `fails: ${e.message}`));
    const url = "file://" + path.resolve(file);
    for (const scheme of schemes) {
        for (const width of widths) {
            const where = `${name} ${scheme} ${width}`;
            await page.emulateMediaFeatures(
                [{name: "prefers-color-scheme", value: scheme}]);
            await page.setViewport({width, height: 900});
            await page.goto(url);
            await check_width(page, where);
            await check_letters(page, where);
            await page.screenshot({path: path.join(
                dir, `${name}-${scheme}-${width}.png`), fullPage: true});
            passes = await check_axe(page, where);
        }
    }
    const foreign = loaded.filter((u) => u !== url && !u.startsWith("data:") &&
                                         !u.startsWith(url + "#"));
    if (foreign.length > 0 && process.env.ALONE !== "0") {
        complain(name, `loads ${foreign[0]}`);
    }
    const files = await check_files(page, name);
    for (const [saved, text] of files) {
        fs.writeFileSync(path.join(dir, `${name}-${saved}`), text);
    }
    await page.pdf({path: path.join(dir, `${name}.pdf`), format: "A4",
                    margin: {top: "2cm", bottom: "2cm", left: "2cm",
                             right: "2cm"}});
    await page.close();
    console.log(`${name}: ${passes} rules of axe hold, ${files.size} files`);
}

async function main()
{
    const [dir, ...pages] = process.argv.slice(2);
    fs.mkdirSync(dir, {recursive: true});
    const browser = await puppeteer.launch({
        executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
        args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]});
    for (const file of pages) {
        await look(browser, file, dir);
    }
    await browser.close();
    process.exit(failures > 0 || pages.length === 0 ? 1 : 0);
}

main().catch((e) => {
    console.log(e.stack);
    process.exit(1);
});
