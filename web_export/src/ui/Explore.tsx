import { memo, useRef } from "react";
import { AROUND } from "../explorer";
import { LEAST_SPREAD, MOST_SPREAD } from "../settings";
import type { Shot } from "../state";
import { usePage, useStill, useWords } from "./context";
import { useDrag } from "./drag";
import { Face } from "./Face";
import { Icon } from "./icons";
import { Slider } from "./inputs";
import { Keep } from "./Keep";
import { Picture } from "./One";
import { Shown } from "./Shown";

const NAMES = ["↖", "↑", "↗", "←", "→", "↙", "↓", "↘"];

/** A face and its neighbours: more like this, and all that lies between. */
export const Explore = memo(function Explore() {
  const { studio, state, say } = usePage("shot", "explore");
  const { shot, explore } = state;
  const { spread, x, y, around } = explore;
  return (
    <>
      <div className="around">
        {AROUND.slice(0, 4).map((_, i) => <Neighbour key={i} i={i} shot={around[i]} />)}
        <Map />
        {AROUND.slice(4).map((_, i) => <Neighbour key={i} i={i + 4} shot={around[i + 4]} />)}
      </div>
      <p className="quiet">{say("exploreHint")}</p>
      <div className="far">
        <Slider
          label={say("spread")}
          value={spread}
          least={LEAST_SPREAD}
          most={MOST_SPREAD}
          step={0.05}
          digits={2}
          onChange={(far) => studio.explorer.another({ spread: far })}
        />
      </div>
      {shot && <Shown />}
      <div className="seed">
        <button type="button" className="soft" disabled={!x && !y} onClick={() => studio.explorer.settle()}>
          <Icon name="check" /> {say("goOn")}
        </button>
        <Keep />
      </div>
      <div className="sticky">
        <button type="button" className="main" disabled={!shot} onClick={() => studio.again()}>
          <Icon name="spark" /> {say("others")}
        </button>
      </div>
    </>
  );
});

const Neighbour = memo(function Neighbour({ shot, i }: { shot: Shot | undefined; i: number }) {
  const { studio, say } = useStill();
  const words = useWords();
  return (
    <button
      type="button"
      className="tile"
      disabled={!shot}
      aria-label={shot ? `${NAMES[i]} ${say("neighbour", { words: words(shot.tags) })}` : NAMES[i]}
      onClick={() => shot && studio.explorer.step(shot)}
    >
      {shot && <Face image={shot.image} />}
    </button>
  );
});

/** The picture itself is the map: dragging over it, or the arrow keys, lead away from the middle. */
const Map = memo(function Map() {
  const { studio, state, say } = usePage("shot", "busy", "explore");
  const { shot, busy, explore } = state;
  const { x, y } = explore;
  const from = useRef({ x: 0, y: 0 });
  const to = (px: number, py: number) => {
    const inside = (far: number) => Math.max(-1, Math.min(1, far));
    studio.explorer.move(inside(px), inside(py));
  };
  const drag = useDrag({
    start: () => {
      from.current = studio.state.explore;
    },
    move: (dx, dy) => to(from.current.x + 2 * dx, from.current.y + 2 * dy),
  });
  const range = (label: string, value: number, change: (far: number) => void) => (
    <input
      type="range"
      className="sr-only"
      aria-label={label}
      min={-1}
      max={1}
      step={0.1}
      value={value}
      onChange={(event) => change(Number(event.target.value))}
    />
  );
  return (
    <div className={busy ? "frame map busy" : "frame map"} {...drag}>
      <Picture shot={shot} />
      <i className="dot" style={{ left: `${50 + 46 * x}%`, top: `${50 + 46 * y}%` }} />
      {range(say("sideways"), x, (far) => to(far, y))}
      {range(say("upDown"), y, (far) => to(x, far))}
    </div>
  );
});
