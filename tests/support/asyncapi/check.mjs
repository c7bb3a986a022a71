// What AsyncAPI's own parser finds in the document on standard input, as JSON: [{code, severity, message, path}].
import { text } from "node:stream/consumers";
import { Parser } from "@asyncapi/parser";

const diagnostics = await new Parser().validate(await text(process.stdin));
const found = diagnostics.map(({ code, severity, message, path }) => ({ code, severity, message, path: path.join(".") }));
process.stdout.write(JSON.stringify(found));
