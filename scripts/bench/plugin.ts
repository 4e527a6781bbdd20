/** The Babel plugin under a name that can stand beside other exports. */
export { default as kept } from "../../plugin/babel/index.ts";
