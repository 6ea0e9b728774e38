import { nameOf } from "../settings";
import { usePage, useWords } from "./context";
import { canvasOf, offer, pngOf } from "./files";
import { Icon } from "./icons";
import { canShare, readable, share } from "./share";

/** What can be done with the picture that is shown. */
export function Keep() {
  const { studio, state, say } = usePage("shot");
  const words = useWords();
  const { shot } = state;
  const copy = async () => {
    const copied = await navigator.clipboard?.writeText(location.href).then(
      () => true,
      () => false,
    );
    studio.tell(copied ? "copied" : "copyFailed");
  };
  const give = async (work: (image: ImageData, name: string) => Promise<void>) => {
    try {
      const whole = await studio.whole();
      if (whole) await work(whole.image, nameOf(whole.shot.settings));
    } catch (error) {
      studio.tell("drawFailed", { reason: String(error) }, true);
    }
  };
  const save = () => give(async (image, name) => offer(await pngOf(canvasOf(image)), `${name}.png`));
  const send = () =>
    give((image, name) => {
      const { settings } = shot ?? {};
      const seed = settings?.latent === null ? `${say("seed")} ${settings.seed}` : "";
      const card = { image, words: words(shot?.tags ?? {}), seed, address: readable(location.href) };
      return share(card, `${name}-card.png`, location.href);
    });
  return (
    <>
      <button type="button" className="soft" disabled={!shot} onClick={copy}>
        <Icon name="link" /> {say("copyLink")}
      </button>
      <button type="button" className="soft" disabled={!shot} onClick={save}>
        <Icon name="save" /> {say("savePng")}
      </button>
      <button type="button" className="soft" disabled={!shot} onClick={send}>
        <Icon name="share" /> {say(canShare() ? "share" : "shareCard")}
      </button>
    </>
  );
}
