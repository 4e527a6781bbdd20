/** The plugin for the bundlers whose plugins have another shape, by unplugin. */
import { createUnplugin, type UnpluginInstance } from "unplugin";
import type { PluginOptions } from "../options.ts";
import { makePlugin } from "./factory.ts";

export const kept: UnpluginInstance<PluginOptions | undefined, false> = createUnplugin<
  PluginOptions | undefined,
  false
>((options, { framework }) => makePlugin(options, framework));
