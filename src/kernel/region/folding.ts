/*
 * Simple case folding of Unicode 17.0 (CaseFolding.txt, status C and S), shipped so that two hosts
 * never differ: each run is first, last, step and distance, in base 36. Made of what the regular
 * expressions of JavaScript hold to be the same letter (flags `iu`); a test compares the two.
 */

import { charSetOf, intersectSets, SEGMENT_CHARS, subtractSets, type CharSet } from "./char-set.ts";

/** How a fleet tells letters apart: exactly, or whatever their case. */
export interface Folding {
  /** What a segment may hold once it is folded. */
  readonly alphabet: CharSet;
  /** A text as it is compared: NFC, and folded where case does not count. */
  foldText(text: string): string;
  /** The folded forms of a set. */
  foldSet(set: CharSet): CharSet;
}

/** Every letter is itself. */
export const EXACT: Folding = {
  alphabet: SEGMENT_CHARS,
  foldText: (text) => text.normalize("NFC"),
  foldSet: (set) => set,
};

/** One character that folds, and what to. */
type Fold = readonly [char: number, folded: number];

/** All that is known of folding. */
interface Table {
  readonly folds: readonly Fold[];
  readonly folded: ReadonlyMap<number, number>;
  /** The characters that fold to another. */
  readonly folding: CharSet;
  readonly alphabet: CharSet;
}

let unpacked: Table | undefined;

/** The table, unpacked when letters are first folded: most fleets tell them apart. */
function table(): Table {
  unpacked ??= unpack();
  return unpacked;
}

function unpack(): Table {
  const folds = FOLDING_RUNS.split(" ").flatMap(readRun);
  const folding = charSetOf(folds.map(([char]) => [char, char]));
  return {
    folds,
    folded: new Map(folds),
    folding,
    alphabet: subtractSets(SEGMENT_CHARS, folding),
  };
}

function readRun(run: string): readonly Fold[] {
  const [from = 0, to = 0, step = 1, distance = 0] = run.split(",").map((n) => parseInt(n, 36));
  const folds: Fold[] = [];
  for (let char = from; char <= to; char += step) folds.push([char, char + distance]);
  return folds;
}

/**
 * Letters that differ in case alone are the same, by Unicode's simple case folding: no character
 * becomes two, so `ß` is not `ss`.
 */
export const CASELESS: Folding = {
  get alphabet() {
    return table().alphabet;
  },
  foldText(text) {
    // Folding may leave a letter before a mark that the two together have a character for.
    const folded = Array.from(text.normalize("NFC"), foldChar).join("").normalize("NFC");
    return Array.from(folded, foldChar).join("");
  },
  foldSet(set) {
    const { folds, folding } = table();
    if (intersectSets(set, folding).length === 0) return set;
    const folded = folds.filter(([char]) => intersectSets(set, [char, char]).length > 0);
    const kept = subtractSets(set, folding);
    const ranges = folded.map(([, to]) => [to, to] as const);
    for (let i = 0; i < kept.length; i += 2)
      ranges.push([kept[i] as number, kept[i + 1] as number]);
    return charSetOf(ranges);
  },
};

function foldChar(char: string): string {
  const folded = table().folded.get(char.codePointAt(0) ?? 0);
  return folded === undefined ? char : String.fromCodePoint(folded);
}

/** The runs of characters that fold, ascending, one space between them. */
const FOLDING_RUNS =
  "1t,2i,1,w 5c,5y,1,w 60,66,1,w 74,8e,2,1 8i,8m,2,1 8p,93,2,1 96,ae,2,1 ag,ag,1,-3d ah,al,2,1 " +
  "an,an,1,-7g ap,ap,1,5u aq,as,2,1 au,au,1,5q av,av,1,1 ax,ay,1,5p az,az,1,1 b2,b2,1,27 " +
  "b3,b3,1,5m b4,b4,1,5n b5,b5,1,1 b7,b7,1,5p b8,b8,1,5r ba,ba,1,5v bb,bb,1,5t bc,bc,1,1 " +
  "bg,bg,1,5v bh,bh,1,5x bj,bj,1,5y bk,bo,2,1 bq,bq,1,62 br,br,1,1 bt,bt,1,62 bw,bw,1,1 " +
  "by,by,1,62 bz,bz,1,1 c1,c2,1,61 c3,c5,2,1 c7,c7,1,63 c8,c8,1,1 cc,cc,1,1 ck,ck,1,2 cl,cl,1,1 " +
  "cn,cn,1,2 co,co,1,1 cq,cq,1,2 cr,d7,2,1 da,dq,2,1 dt,dt,1,2 du,dw,2,1 dy,dy,1,-2p " +
  "dz,dz,1,-1k e0,f2,2,1 f4,f4,1,-3m f6,fm,2,1 fu,fu,1,8bv fv,fv,1,1 fx,fx,1,-4j fy,fy,1,8bs " +
  "g1,g1,1,1 g3,g3,1,-5f g4,g4,1,1x g5,g5,1,1z g6,ge,2,1 n9,n9,1,38 og,oi,2,1 om,om,1,1 " +
  "ov,ov,1,38 p2,p2,1,12 p4,p6,1,11 p8,p8,1,1s pa,pb,1,1r pd,pn,1,w po,po,1,-kn pp,pt,1,w " +
  "pv,pv,1,v pw,q3,1,w qk,qk,1,-lj qr,qr,1,-1 r3,r3,1,8 r4,r4,1,-u r5,r5,1,-p r9,r9,1,-f " +
  "ra,ra,1,-m rc,ry,2,1 s0,s0,1,-1i s1,s1,1,-1c s4,s4,1,-1o s5,s5,1,-1s s7,s7,1,1 s9,s9,1,-7 " +
  "sa,sa,1,1 sd,sf,1,-3m sg,sv,1,28 sw,tr,1,w v4,w0,2,1 wa,xq,2,1 xs,xs,1,f xt,y5,2,1 " +
  "y8,10u,2,1 10x,11y,1,1c 3a8,3b9,1,5ls 3bb,3bb,1,5ls 3bh,3bh,1,5ls 3vk,3xr,1,tzk 3xs,3xx,1,8 " +
  "5mo,5mo,1,-4su 5mp,5mp,1,-4st 5mq,5mq,1,-4sk 5mr,5ms,1,-4si 5mt,5mt,1,-4sj 5mu,5mu,1,-4sc " +
  "5mv,5mv,1,-4ro 5mx,5mx,1,1 5n4,5oa,1,-2bk 5od,5of,1,-2bk 5xc,61g,2,1 61n,61n,1,-1m " +
  "61q,61q,1,-5vj 61s,64e,2,1 64o,64v,1,-8 654,659,1,-8 65k,65r,1,-8 660,667,1,-8 66g,66l,1,-8 " +
  "66x,673,2,-8 67c,67j,1,-8 688,68f,1,-8 68o,68v,1,-8 694,69b,1,-8 69k,69l,1,-8 69m,69n,1,-22 " +
  "69o,69o,1,-9 69q,69q,1,-5j9 6a0,6a3,1,-2e 6a4,6a4,1,-9 6ab,6ab,1,-5kz 6ag,6ah,1,-8 " +
  "6ai,6aj,1,-2s 6ar,6ar,1,-5kj 6aw,6ax,1,-8 6ay,6az,1,-34 6b0,6b0,1,-7 6bc,6bd,1,-3k " +
  "6be,6bf,1,-3i 6bg,6bg,1,-9 6jq,6jq,1,-5st 6ju,6ju,1,-6gv 6jv,6jv,1,-6di 6k2,6k2,1,s " +
  "6ls,6m7,1,-g 6mb,6mb,1,1 79s,7ah,1,-q 8ow,8q7,1,1c 8rk,8rk,1,1 8rm,8rm,1,-8af 8rn,8rn,1,-2xy " +
  "8ro,8ro,1,-89z 8rr,8rv,2,1 8rx,8rx,1,-8bg 8ry,8ry,1,-8al 8rz,8rz,1,-8bj 8s0,8s0,1,-8bi " +
  "8s2,8s2,1,1 8s5,8s5,1,1 8se,8sf,1,-8cf 8sg,8v6,2,1 8vf,8vh,2,1 8vm,8vm,1,1 wu8,wug,2,1 " +
  "wui,wui,1,-r7m wuj,wuj,1,-r7n wuk,wvg,2,1 ww0,wwq,2,1 x0i,x0u,2,1 x0y,x2m,2,1 x2x,x2z,2,1 " +
  "x31,x31,1,-r9g x32,x3a,2,1 x3f,x3f,1,1 x3h,x3h,1,-wmg x3k,x3m,2,1 x3q,x48,2,1 x4a,x4a,1,-wn8 " +
  "x4b,x4b,1,-wnj x4c,x4c,1,-wnf x4d,x4d,1,-wn5 x4e,x4e,1,-wn8 x4g,x4g,1,-wlu x4h,x4h,1,-wmi " +
  "x4i,x4i,1,-wlx x4j,x4j,1,ps x4k,x4y,2,1 x50,x50,1,-1c x51,x51,1,-wn7 x52,x52,1,-raw " +
  "x53,x55,2,1 x57,x57,1,-wo7 x58,x5m,2,1 x5o,x5o,1,-wu9 x6d,x6d,1,1 1dl2,1dl2,1,-1 " +
  "1ee9,1eey,1,w 1fcw,1fdz,1,14 1fhs,1fir,1,14 1fn4,1fne,1,13 1fng,1fnu,1,13 1fnw,1fo2,1,13 " +
  "1fo4,1fo5,1,13 1h1c,1h2q,1,1s 1h74,1h7p,1,w 1jfk,1jgf,1,w 20cg,20db,1,w 20f4,20fs,1,r " +
  "2olc,2om9,1,y";
