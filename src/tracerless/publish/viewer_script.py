"""What the viewer does in the browser; the synthetic label is part of drawing, not of the page."""

VIEWER = r"""
(function(){'use strict';
var P=JSON.parse(document.getElementById('viewer-data').textContent);
function bytes(s){return Uint8Array.from(atob(s),function(c){return c.charCodeAt(0);});}
var V=P.volumes.map(function(v){v.voxels=bytes(v.voxels);v.colors=bytes(v.colors);return v;});
var N=P.shape,at=N.map(function(n){return n>>1;}),DARK=[16,16,20];
var base=document.getElementById('base'),over=document.getElementById('top');
var alpha=document.getElementById('alpha'),readout=document.getElementById('readout');
var PLANES={axial:{w:0,h:1,n:2,ends:'RL'},coronal:{w:0,h:2,n:1,ends:'RL'},
 sagittal:{w:1,h:2,n:0,ends:'AP'}};
var px=Math.max(1,Math.min(6,Math.floor(1240/(2*N[0]+N[1])*10)/10));
function first(test,otherwise){for(var i=0;i<V.length;i++)if(test(V[i]))return i;return otherwise;}
base.value=0;
over.value=first(function(v){return v.synthetic;},first(function(v){return v.unit==='SUVR';},-1));
function stored(v,i,j,k){return v.voxels[i+N[0]*(j+N[1]*k)];}
function worth(v,q){return v.low+(q-1)/254*(v.high-v.low);}
function color(v,q){var t=(worth(v,q)-v.window[0])/(v.window[1]-v.window[0]);
 var n=Math.round(Math.max(0,Math.min(1,t))*255)*3;
 return [v.colors[n],v.colors[n+1],v.colors[n+2]];}
function lut(v){var all=[];for(var q=1;q<256;q++)all[q]=color(v,q);return all;}
V.forEach(function(v){v.lut=lut(v);});
function slice(p,v){
 var w=N[p.w],h=N[p.h],box=document.createElement('canvas');box.width=w;box.height=h;
 var g=box.getContext('2d'),out=g.createImageData(w,h),ijk=at.slice(),o=0;
 for(var r=0;r<h;r++){ijk[p.h]=h-1-r;for(var c=0;c<w;c++){ijk[p.w]=w-1-c;
  var q=stored(v,ijk[0],ijk[1],ijk[2]),rgb=q?v.lut[q]:DARK;
  out.data[o++]=rgb[0];out.data[o++]=rgb[1];out.data[o++]=rgb[2];out.data[o++]=q?255:0;}}
 g.putImageData(out,0,0);return box;}
function marked(){return [V[base.value],V[over.value]].some(function(v){return v&&v.synthetic;});}
function label(g,canvas){
 if(!marked())return;
 var size=14;do{size--;g.font='bold '+size+'px sans-serif';}
 while(size>7&&g.measureText(P.label).width>canvas.width-8);
 g.fillStyle='#b00020';g.fillRect(0,canvas.height-22,canvas.width,22);
 g.fillStyle='#fff';g.textAlign='center';g.fillText(P.label,canvas.width/2,canvas.height-7);}
function draw(canvas){
 var p=PLANES[canvas.dataset.plane],w=N[p.w]*px,h=N[p.h]*px,g;
 canvas.width=w;canvas.height=h+22;g=canvas.getContext('2d');
 g.fillStyle='#101014';g.fillRect(0,0,w,h+22);
 g.imageSmoothingEnabled=true;g.drawImage(slice(p,V[base.value]),0,0,w,h);
 if(over.value>=0){g.globalAlpha=alpha.value/100;g.drawImage(slice(p,V[over.value]),0,0,w,h);
  g.globalAlpha=1;}
 var x=(N[p.w]-at[p.w]-.5)*px,y=(N[p.h]-at[p.h]-.5)*px;
 g.strokeStyle='rgba(120,220,255,.55)';g.beginPath();
 g.moveTo(x,0);g.lineTo(x,h);g.moveTo(0,y);g.lineTo(w,y);g.stroke();
 g.fillStyle='#eee';g.font='14px sans-serif';g.textAlign='left';g.fillText(p.ends[0],5,16);
 g.textAlign='right';g.fillText(p.ends[1],w-5,16);label(g,canvas);}
function scale(){
 var canvas=document.getElementById('scale'),g=canvas.getContext('2d');
 var v=V[over.value>=0?over.value:base.value];
 g.clearRect(0,0,260,34);
 for(var i=0;i<256;i++){
  g.fillStyle='rgb('+Array.from(v.colors.slice(3*i,3*i+3)).join(',')+')';
  g.fillRect(i+2,2,1,12);}
 g.fillStyle='#1d2230';g.font='12px sans-serif';g.textAlign='left';
 g.fillText(v.window[0].toFixed(1),2,28);
 g.textAlign='center';g.fillText(v.unit,130,28);
 g.textAlign='right';g.fillText(v.window[1].toFixed(1),258,28);}
function tell(){
 var mm=at.map(function(n,a){return (P.origin[a]+n*P.step).toFixed(0);});
 var said=V.map(function(v){var q=stored(v,at[0],at[1],at[2]);
  return v.title+(v.synthetic?' (not acquired) ':' ')+(q?worth(v,q).toFixed(2):'\u2013');});
 said.unshift('x '+mm[0]+', y '+mm[1]+', z '+mm[2]+' mm');
 readout.textContent=said.join('   \u2502   ');}
var canvases=document.querySelectorAll('.views canvas');
var sliders=document.querySelectorAll('.views input');
function all(){canvases.forEach(draw);scale();tell();
 sliders.forEach(function(s){s.value=at[PLANES[s.dataset.plane].n];});}
canvases.forEach(function(canvas){
 var p=PLANES[canvas.dataset.plane];
 function move(e){var b=canvas.getBoundingClientRect();
  function hit(n,t){return Math.max(0,Math.min(n-1,n-1-Math.floor(t/px)));}
  at[p.w]=hit(N[p.w],e.clientX-b.left);at[p.h]=hit(N[p.h],e.clientY-b.top);all();}
 canvas.addEventListener('pointerdown',function(e){canvas.setPointerCapture(e.pointerId);move(e);});
 canvas.addEventListener('pointermove',function(e){if(e.buttons)move(e);});});
sliders.forEach(function(s){var p=PLANES[s.dataset.plane];s.min=0;s.max=N[p.n]-1;
 s.addEventListener('input',function(){at[p.n]=+s.value;all();});});
[base,over,alpha].forEach(function(e){e.addEventListener('input',all);});
all();
})();
"""
