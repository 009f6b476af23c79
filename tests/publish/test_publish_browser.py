"""What the scripts of a page do, in a real browser where there is one."""

import json
import re
import shutil
import subprocess

import pytest

from tracerless.publish import session_page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

PROBE = """
<script>
function reds(canvas){
 var d=canvas.getContext('2d').getImageData(0,0,canvas.width,canvas.height).data,n=0;
 for(var i=0;i<d.length;i+=4)if(d[i]===176&&d[i+1]===0&&d[i+2]===32)n++;
 return n;}
function all(){return Array.from(document.querySelectorAll('.views canvas')).map(reds);}
function choose(id,value){var e=document.getElementById(id);e.value=value;
 e.dispatchEvent(new Event('input'));}
var said={synthetic:all()};
choose('top',-1);said.none=all();
choose('top',4);said.acquired=all();
choose('top',5);said.difference=all();
choose('top',-1);choose('base',3);said.base=all();
document.querySelectorAll('#regions th')[4].click();
said.order=Array.from(document.querySelectorAll('#regions tbody tr')).map(function(r){
 return parseFloat(r.cells[4].textContent);});
said.readout=document.getElementById('readout').textContent;
document.title=JSON.stringify(said);
</script></body>"""


@pytest.fixture(scope="module")
def said(prepared, atlas, template, tables, prediction, tmp_path_factory):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    page = session_page(prepared, atlas, template=template, tables=tables, prediction=prediction)
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page.replace("</body>", PROBE), encoding="utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
    ran = subprocess.run(
        [browser, *options, "--virtual-time-budget=8000", "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(re.search(r"<title>(\{.*?\})</title>", ran.stdout).group(1))


@pytest.mark.slow
def test_viewer_labels_every_plane_exactly_when_something_synthetic_is_shown(said):
    for shown in ("synthetic", "difference", "base"):
        assert all(n > 500 for n in said[shown]), shown
    for shown in ("none", "acquired"):
        assert said[shown] == [0, 0, 0], shown


@pytest.mark.slow
def test_click_on_a_heading_orders_the_table_by_its_numbers(said):
    assert len(said["order"]) == 36
    assert said["order"] == sorted(said["order"])
    assert "Synthetic FDG (not acquired)" in said["readout"]
