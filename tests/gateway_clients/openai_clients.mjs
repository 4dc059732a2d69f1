// The clients of OpenAI's API in node: OpenAI's own, and the AI SDK. Prints one JSON object.
// Usage: node openai_clients.mjs BASE_URL TOKEN
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, streamText } from "ai";
import OpenAI from "openai";

const [, , baseURL, apiKey] = process.argv;
const client = new OpenAI({ baseURL, apiKey });
const messages = (content) => [{ role: "user", content }];
const seen = {};

seen.models = (await client.models.list()).data.map((model) => model.id);
seen.retrieved = (await client.models.retrieve("capability:talk")).id;
const plain = await client.chat.completions.create({ model: "chat", messages: messages("hello") });
seen.plain = plain.choices[0].message.content;
seen.requestId = plain._request_id;

const stream = await client.chat.completions.create({
  model: "chat",
  messages: messages("counted"),
  stream: true,
  stream_options: { include_usage: true },
});
seen.streamed = "";
for await (const chunk of stream) {
  seen.streamed += chunk.choices[0]?.delta.content ?? "";
  seen.reason = chunk.choices[0]?.finish_reason ?? seen.reason;
  seen.usage = chunk.usage ?? seen.usage;
}

const failing = async (model, content) => {
  try {
    await client.chat.completions.create({ model, messages: messages(content) });
  } catch (error) {
    return [error.constructor.name, error.status, error.code];
  }
};
seen.missing = await failing("nobody", "hello");
seen.failed = await failing("chat", "fails");

const left = await client.chat.completions.create({
  model: "chat",
  messages: messages("one and held: node"),
  stream: true,
});
for await (const chunk of left) {
  if (chunk.choices[0].delta.content) break; // the client closes the connection
}

const provider = createOpenAICompatible({ name: "fabric", baseURL, apiKey, includeUsage: true });
const generated = await generateText({ model: provider("chat"), prompt: "shows" });
seen.generated = generated.text;
const texts = streamText({ model: provider("chat"), prompt: "reasons" });
seen.sdkStreamed = "";
for await (const text of texts.textStream) seen.sdkStreamed += text;
seen.sdkReasoning = await texts.reasoningText;
const counted = streamText({ model: provider("chat"), prompt: "counted" });
await counted.consumeStream();
seen.sdkUsage = await counted.usage;
seen.sdkReason = await counted.finishReason;
try {
  // without maxRetries: 0 it would ask three times: it does not look at x-should-retry
  await generateText({ model: provider("chat"), prompt: "fails", maxRetries: 0 });
} catch (error) {
  seen.sdkFailed = [APICallError.isInstance(error), error.statusCode, error.message];
}
console.log(JSON.stringify(seen));
