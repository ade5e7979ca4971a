// A contender of rows/rates.py: reads a JSON line a task from stdin, writes a JSON line with its milliseconds.
// node node_llama_cpp.mjs FOLDER_WITH_NODE_MODULES MODEL THREADS N_CTX
import readline from "node:readline";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const [folder, modelPath, threads, contextSize] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${folder}/`));
const {getLlama} = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);

const llama = await getLlama({gpu: false, build: "never", maxThreads: 0, logLevel: "error"});
const model = await llama.loadModel({modelPath});
const context = await model.createContext({
    contextSize: Number(contextSize), batchSize: 512, threads: Number(threads), flashAttention: "auto"
});
const sequence = context.getSequence();

async function evaluate({tokens, keep, one_by_one: oneByOne}) {
    if (keep < sequence.nextTokenIndex)
        await sequence.eraseContextTokenRanges([{start: keep, end: sequence.nextTokenIndex}]);
    if (sequence.nextTokenIndex !== keep)
        throw new Error(`${sequence.nextTokenIndex} tokens are there, not ${keep}`);
    const begun = performance.now();
    if (!oneByOne) {
        await sequence.evaluateWithoutGeneratingNewTokens(tokens);
        return performance.now() - begun;
    }
    // Its way to generate: what it would choose is thrown away, and the next token of the task put in its place.
    const generation = sequence.evaluate([tokens[0]], {temperature: 0, yieldEogToken: true});
    await generation.next();
    for (const token of tokens.slice(1))
        await generation.next(token);
    const ms = performance.now() - begun;
    await generation.return();
    return ms;
}

console.log(JSON.stringify({ready: true}));
for await (const line of readline.createInterface({input: process.stdin})) {
    try {
        console.log(JSON.stringify({ms: await evaluate(JSON.parse(line))}));
    } catch (error) {
        console.log(JSON.stringify({error: String(error)}));
    }
}
process.exit(0);
