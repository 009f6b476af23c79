"""Style and behavior of the pages: no library, no font and no picture from elsewhere."""

CSS = """
:root{--ink:#1d2230;--soft:#5d6678;--line:#dde1e8;--paper:#fff;--back:#f3f5f8;--warn:#b00020;
--synthetic:#d1491b;--acquired:#17417e}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans TC","PingFang TC",
"Microsoft JhengHei","Noto Sans CJK TC",sans-serif}
main{max-width:1340px;margin:0 auto;padding:20px 24px 60px}
h1{font-size:26px;margin:18px 0 2px;letter-spacing:-.01em}
h2{font-size:18px;margin:0 0 10px}
h2 .zh,h1 .zh{font-weight:400;color:var(--soft);font-size:.85em}
h3{font-size:15px;margin:14px 0 6px}
.zh{color:var(--soft)}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;
padding:18px 20px;margin:16px 0}
.banner{background:var(--warn);color:#fff;font-weight:700;text-align:center;padding:10px 16px;
border-radius:10px;letter-spacing:.04em;position:sticky;top:0;z-index:5}
.banner .zh{color:#fff;font-weight:500;letter-spacing:.1em}
.banner.plain{background:#39435a}
.headline{font-size:19px;font-weight:650;margin:14px 0 4px}
.lead{color:var(--soft);margin:0 0 8px}
.note{color:var(--soft);font-size:13px;margin:8px 0 0}
.plainly{border-left:4px solid var(--warn);padding:4px 12px;margin:8px 0;font-weight:600}
.plainly .zh{font-weight:400}
.verdict{display:inline-block;padding:2px 12px;border-radius:99px;font-weight:700;color:#fff}
.verdict .zh{color:#fff;font-weight:500}
.pass{background:#1e7d4b}.review{background:#b86e00}.fail{background:var(--warn)}
section.failed{border:3px solid var(--warn)}
.pictures{display:flex;gap:4px;background:#101014;border-radius:8px;padding:6px;overflow-x:auto}
.pictures figure{margin:0;flex:1 1 0;min-width:150px;max-width:300px}
.pictures img{width:100%;display:block}
.pictures.single figure{max-width:none}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{padding:4px 9px;border-bottom:1px solid var(--line);text-align:left;vertical-align:baseline}
th{font-weight:600;border-bottom:2px solid var(--ink);cursor:pointer;white-space:nowrap}
th .zh{display:block;font-weight:400;font-size:12px}
th[aria-sort=ascending]::after{content:" \\25B2"}th[aria-sort=descending]::after{content:" \\25BC"}
.num{text-align:right;font-variant-numeric:tabular-nums}
tr.lobe td{background:var(--back);font-weight:600;border-bottom:1px solid var(--line)}
.low{color:#b00020;font-weight:600}
dl{display:grid;grid-template-columns:minmax(150px,max-content) 1fr;gap:2px 16px;margin:6px 0;
font-size:13.5px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
dd dl{margin:0}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 16px}
.two section:only-child{grid-column:1/-1}
svg{width:100%;height:auto;display:block}
svg text{font:12px system-ui,"Noto Sans",sans-serif;fill:var(--ink)}
svg .soft{fill:var(--soft)}svg .strong{font-weight:700}
.controls{display:flex;flex-wrap:wrap;gap:8px 22px;align-items:center;margin:0 0 10px;
font-size:14px}
.controls label{display:flex;gap:8px;align-items:center}
.views{display:flex;gap:6px;background:#101014;border-radius:8px;padding:6px;align-items:flex-end;
justify-content:center;flex-wrap:wrap}
.views div{text-align:center}
.views canvas{display:block;cursor:crosshair;touch-action:none}
.views input{width:90%}
.readout{font-variant-numeric:tabular-nums;font-size:14px;margin:8px 0 0;min-height:1.5em}
@media (max-width:900px){.two{grid-template-columns:1fr}}
@media print{.banner{position:static}body{background:#fff}section{break-inside:avoid}
.controls,#viewer{display:none}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""

SORT = """
(function(){'use strict';
function value(row,n){var c=row.cells[n];if(!c)return '';
 if(c.dataset.sort!==undefined)return parseFloat(c.dataset.sort);
 return c.classList.contains('num')?NaN:c.textContent;}
function order(a,b){if(typeof a==='number'||typeof b==='number'){
  if(a!==a)return b!==b?0:1;if(b!==b)return -1;return a-b;}
 return a<b?-1:a>b?1:0;}
document.querySelectorAll('table.sortable').forEach(function(table){
 var body=table.tBodies[0];
 table.querySelectorAll('th').forEach(function(head,n){
  head.title='Order by this column';
  head.addEventListener('click',function(){
   var up=head.getAttribute('aria-sort')!=='ascending';
   table.querySelectorAll('th').forEach(function(h){h.removeAttribute('aria-sort');});
   head.setAttribute('aria-sort',up?'ascending':'descending');
   body.querySelectorAll('tr.lobe').forEach(function(r){r.remove();});
   Array.from(body.rows).sort(function(p,q){var a=value(p,n),b=value(q,n),o=order(a,b);
    return (a!==a||b!==b||up)?o:-o;}).forEach(function(r){body.appendChild(r);});
  });});});
})();
"""
"""Orders a table by the column whose heading is clicked; empty cells come last."""
