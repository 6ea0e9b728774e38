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
      const file = Array.from(given?.files ?? []).find(({ type }) => type.startsWith("image/"));
      if (!file) return;
      event.preventDefault();
      open(file);
    };
    const paste = (event: ClipboardEvent) => come(event, event.clipboardData);
    const drop = (event: DragEvent) => come(event, event.dataTransfer);
    const over = (event: DragEvent) => event.preventDefault(); // else the browser goes to the file
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
  const [seeing, setSeeing] = useState(false);
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
        onClose();
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
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: seen.videoWidth, height: seen.videoHeight });
    canvas.getContext("2d")?.drawImage(seen, 0, 0);
    canvas.toBlob((blob) => {
      if (blob) onTaken(blob);
      onClose();
    });
  };
  return (
    <dialog ref={dialog} className="camera" aria-label={say("camera")} onClose={onClose}>
      <video ref={video} autoPlay playsInline muted onLoadedData={() => setSeeing(true)} />
      <p>
        <button type="button" className="main" disabled={!seeing} onClick={take}>
          <Icon name="camera" /> {say("take")}
        </button>
        <button type="button" className="soft" onClick={onClose}>
          {say("close")}
        </button>
      </p>
    </dialog>
  );
}
