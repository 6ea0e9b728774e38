import { useEffect, useRef, useState } from "react";
import { reason } from "../state";
import { useStill } from "./context";
import { Icon } from "./icons";

/** A visitor's own picture, from a file, the camera, dropped or pasted: the model draws the face nearest
 * to it. */
export function Own() {
  const { studio, say } = useStill();
  const chosen = useRef<HTMLInputElement>(null);
  const [filming, setFilming] = useState(false);
  const open = (file: Blob) => void studio.own.open(file);
  useEffect(() => {
    const come = (event: Event, given: DataTransfer | null) => {
      const [file] = given?.files ?? [];
      if (!file) return;
      event.preventDefault();
      open(file);
    };
    const paste = (event: ClipboardEvent) => {
      // Tables and documents are copied as text and as a picture of it.
      if (!event.clipboardData?.getData("text/plain")) come(event, event.clipboardData);
    };
    const drop = (event: DragEvent) => come(event, event.dataTransfer);
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); // or the browser goes there
    };
    document.addEventListener("paste", paste);
    document.addEventListener("drop", drop);
    document.addEventListener("dragover", over);
    return () => {
      document.removeEventListener("paste", paste);
      document.removeEventListener("drop", drop);
      document.removeEventListener("dragover", over);
    };
  }, [studio]);
  return (
    <>
      <input
        ref={chosen}
        type="file"
        accept="image/*"
        hidden
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file) open(file);
          event.currentTarget.value = ""; // the same file may come again
        }}
      />
      <button type="button" className="soft" onClick={() => chosen.current?.click()}>
        <Icon name="picture" /> {say("ownPicture")}
      </button>
      {navigator.mediaDevices && (
        <button type="button" className="soft" onClick={() => setFilming(true)}>
          <Icon name="camera" /> {say("camera")}
        </button>
      )}
      {filming && <Camera onTaken={open} onClose={() => setFilming(false)} />}
    </>
  );
}

/** What the camera sees, until a picture is taken. It is on no longer than this is open. */
function Camera({ onTaken, onClose }: { onTaken: (picture: Blob) => void; onClose: () => void }) {
  const { studio, say } = useStill();
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [ready, setReady] = useState(false);
  const close = () => dialog.current?.close(); // which gives the focus back
  useEffect(() => {
    let stream: MediaStream | null = null;
    let closed = false;
    const stop = () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    dialog.current?.showModal();
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } }).then(
      (found) => {
        stream = found;
        if (closed) return stop();
        if (video.current) video.current.srcObject = found;
      },
      (error) => {
        if (closed) return;
        studio.tell("cameraFailed", { reason: reason(error) }, true);
        close();
      },
    );
    return () => {
      closed = true;
      stop();
    };
  }, []);
  const take = () => {
    const seen = video.current;
    if (!seen) return;
    setReady(false);
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: seen.videoWidth, height: seen.videoHeight });
    canvas.getContext("2d")?.drawImage(seen, 0, 0);
    canvas.toBlob((blob) => {
      if (blob) onTaken(blob);
      close();
    });
  };
  return (
    <dialog ref={dialog} className="camera" aria-label={say("camera")} onClose={onClose}>
      <video ref={video} autoPlay playsInline muted onLoadedData={() => setReady(true)} />
      <p>
        <button type="button" className="main" disabled={!ready} onClick={take}>
          <Icon name="camera" /> {say("take")}
        </button>
        <button type="button" className="soft" onClick={close}>
          {say("close")}
        </button>
      </p>
    </dialog>
  );
}
