import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";

/** `import address from "virtual:worker"`: the worker as a chunk of the same build, so that it
 * shares TensorFlow.js with tfanime.js instead of carrying its own. `virtual:helper` likewise. */
function workers(): Plugin {
  let building = false;
  return {
    name: "workers",
    configResolved: (config) => {
      building = config.command === "build";
    },
    resolveId: (id) => (/^virtual:(worker|helper)$/.test(id) ? `\0${id}` : null),
    load(id) {
      const name = /^\0virtual:(worker|helper)$/.exec(id)?.[1];
      if (!name) return null;
      if (!building) return `export default "/src/${name}.ts";`;
      const reference = this.emitFile({ type: "chunk", id: `src/${name}.ts`, name });
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
  };
}

/** Vite's development server works with inline scripts; the built page does without. */
function policyOfBuildsOnly(): Plugin {
  return {
    name: "policy-of-builds-only",
    apply: "serve",
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy".*?>/s, ""),
  };
}

/** The package's threads start from blob addresses, which the page's policy forbids, so their code is left out. */
function withoutThreads(): Plugin {
  return {
    name: "without-threads",
    enforce: "pre",
    resolveId: (id) => (/threaded-simd(\.worker)?\.js$/.test(id) ? "\0no-threads" : null),
    load: (id) => (id === "\0no-threads" ? "export const wasmWorkerContents = '';" : null),
  };
}

/** The page's own code is asked for at once, and not only when the first script has been read. */
function preload(): Plugin {
  return {
    name: "preload",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle = {} }) {
        const found = new Set<string>();
        const add = (file: string) => {
          const chunk = bundle[file];
          if (found.has(file) || chunk?.type !== "chunk") return;
          found.add(file);
          chunk.imports.forEach(add);
        };
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === "chunk" && chunk.name === "page") add(chunk.fileName);
        }
        return [...found].map((file) => ({
          tag: "link",
          attrs: { rel: "modulepreload", href: `./${file}`, crossorigin: true },
          injectTo: "head",
        }));
      },
    },
  };
}

/** Tells sw.js which files the page needs to start without a network, and under which version:
 * the page, the worker and WASM with all that they import; other backends are kept when used. */
function precache(): Plugin {
  return {
    name: "precache",
    apply: "build",
    writeBundle({ dir }, bundle) {
      const files = new Set(["index.html", "manifest.webmanifest", "icons/icon.svg"]);
      const add = (file: string) => {
        if (files.has(file)) return;
        files.add(file);
        const found = bundle[file];
        if (found?.type === "chunk") found.imports.forEach(add);
      };
      for (const file of Object.keys(bundle)) {
        if (/(index|page|worker|helper|wasm)-[\w-]+\.(js|css)$|wasm-simd-[\w-]+\.wasm$/.test(file)) add(file);
      }
      add("tfanime.js");
      const names = [...files].sort();
      // Where a model makes posters.
      const posters = Object.keys(bundle).filter((file) => /(posters|works)-[\w-]+\.js$/.test(file));
      posters.forEach(add);
      const more = [...files].filter((file) => !names.includes(file)).sort();
      const hash = createHash("sha256");
      for (const name of files) hash.update(readFileSync(join(dir as string, name)));
      const path = join(dir as string, "sw.js");
      const source = readFileSync(path, "utf8")
        .replace('"VERSION"', JSON.stringify(hash.digest("hex").slice(0, 16)))
        .replace('["FILES"]', JSON.stringify(names))
        .replace('["POSTERS"]', JSON.stringify(more));
      writeFileSync(path, source);
    },
  };
}

/** A package whose licence public/THIRD_PARTY.txt does not name, in that version, gets into no site:
 * the folder is published, and their licences ask for it. */
function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    writeBundle(_, bundle) {
      const named = readFileSync(join(import.meta.dirname, "public/THIRD_PARTY.txt"), "utf8");
      const missing = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        for (const id of chunk.type === "chunk" ? chunk.moduleIds : []) {
          const [folder, name] = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id) ?? [];
          if (!folder) continue;
          const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
          if (!named.includes(` ${name} ${version} `)) missing.add(`${name} ${version}`);
        }
      }
      if (missing.size) {
        this.error(`public/THIRD_PARTY.txt does not name what the site contains: ${[...missing].join(", ")}`);
      }
    },
  };
}

export default defineConfig({
  base: "./",
  resolve: {
    alias: [
      // The page is written for React and runs on Preact, which is a tenth of its size.
      { find: "react/jsx-runtime", replacement: "preact/jsx-runtime" },
      { find: "react/jsx-dev-runtime", replacement: "preact/jsx-dev-runtime" },
      { find: "react-dom/client", replacement: "preact/compat/client" },
      { find: "react", replacement: "preact/compat" },
      // The same without the optimisers, which its index registers.
      { find: /^@tensorflow\/tfjs-core$/, replacement: "@tensorflow/tfjs-core/dist/base.js" },
    ],
  },
  server: { fs: { allow: [".", "../tfanime/sampling/words.json"] } }, // Python's table of words
  plugins: [workers(), withoutThreads(), policyOfBuildsOnly(), preload(), licences(), precache()],
  build: {
    outDir: process.env.TFANIME_SITE_OUT ?? "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false, // its helper needs a document, which workers lack
    chunkSizeWarningLimit: 2000,
    rollupOptions: {
      preserveEntrySignatures: "strict",
      input: { index: "index.html", tfanime: "src/module.ts" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "tfanime" ? "tfanime.js" : "assets/[name]-[hash].js"),
        chunkFileNames: ({ facadeModuleId }) => {
          const backend = /tfjs-(backend-\w+)\/dist\/index/.exec(facadeModuleId ?? "")?.[1];
          return `assets/${backend ?? "[name]"}-[hash].js`;
        },
      },
    },
  },
});
