// Cases for the parts of the page that draw nothing; test_modules.py says what they must return.
({
    bounded: ({ Store, record }) => {
        const store = new Store();
        for (let at = 0; at < 300; at += 1) store.add(Array.from({ length: 100 }, () => record()));
        return store.ring.size;
    },
    twice: ({ Store, record }) => {
        const store = new Store();
        const batch = [record(), record()];
        store.add(batch);
        store.add(batch);
        return store.ring.size;
    },
    paused: ({ Store, record }) => {
        const store = new Store();
        store.add([record()]);
        store.pause(true);
        for (let at = 0; at < 20000; at += 1) store.add([record()]);
        const during = [store.ring.size, store.waiting];
        store.pause(false);
        return [...during, store.ring.size, store.ring.at(store.ring.end - 1).n === store.last];
    },
    summaries: ({ Store }) => {
        const store = new Store();
        const shown = () => [...store.traceSummaries].map(([id, { v }]) => `${id} ${v}`);
        const seen = [];
        store.setTraces({ items: [{ id: "a", v: 1 }, { id: "b", v: 1 }], gone: [] });
        seen.push(shown());
        store.pause(true);
        store.setTraces({ items: [{ id: "a", v: 2 }, { id: "c", v: 1 }], gone: ["b"] });
        store.setTraces({ items: [{ id: "a", v: 3 }], gone: ["c"] });
        seen.push(shown());
        store.pause(false);
        seen.push(shown(), [...store.goneTraces]);
        store.setTraces({ anew: true });
        store.setTraces({ items: Array.from({ length: 3000 }, (_, at) => ({ id: `t${at}`, v: 1 })), gone: Array.from({ length: 3000 }, (_, at) => `g${at}`) });
        return [...seen, store.traceSummaries.size, store.traceSummaries.has("t2999"), store.goneTraces.size, store.goneTraces.has("g2999")];
    },
    heldStill: ({ Store }) => {
        const store = new Store();
        const state = (at, connected) => ({ at, synapse: { connected }, dendrites: [], missed: 0 });
        store.setState(state(100, true));
        store.setNow({ open: 1 });
        store.pause(true);
        store.setState(state(200, false));
        store.setNow({ open: 2 });
        const during = [store.state.at, store.latest.at, store.now.open, Math.round(store.serverTime()), Math.round(store.liveTime())];
        store.pause(false);
        return [...during, store.state.at, store.now.open, Math.round(store.serverTime())];
    },
    folded: ({ Store, Filters, Shown, whole, record }) => {
        const store = new Store();
        const shown = new Shown(store, new Filters(() => {}));
        const piece = (task, delta, kind) => record({ type: "THOUGHT_DELTA", parent_id: task, payload: { delta, ...(kind && { kind }) } });
        store.add([record({ id: "a" }), record({ id: "b" }), piece("a", "one "), piece("b", "eins "), piece("a", "two "), piece("b", "zwei "), piece("a", "hm", "reasoning")]);
        store.add([record({ type: "TOOL_CALL", parent_id: "b" }), piece("b", "drei"), record({ type: "HEARTBEAT" })]);
        shown.update();
        const rows = () => Array.from({ length: shown.size }, (_, at) => { const row = shown.rowAt(at); return row.count ? `${row.count} ${row.text}` : shown.at(at).type; });
        const first = rows();
        const grown = [shown.rowAt(2), whole(shown.rowAt(2), store.ring).payload.delta];
        store.add([piece("b", " vier")]);
        shown.update();
        const later = rows();
        shown.set({ folding: false, presence: true });
        const anew = shown.update();
        return { first, later: later[later.length - 1], text: grown[1], hidden: shown.hidden, anew, unfolded: shown.size };
    },
    foldsAreBounded: ({ Store, Filters, Shown, record }) => {
        const store = new Store();
        const shown = new Shown(store, new Filters(() => {}));
        for (let at = 0; at < 300; at += 1) {
            store.add(Array.from({ length: 100 }, (_, each) => record({ type: "THOUGHT_DELTA", parent_id: at % 2 ? "one" : `t${at}-${each}`, payload: { delta: "x".repeat(1000) } })));
            shown.update();
        }
        return { open: shown.folds.open.size <= 2000, rows: shown.rows.length < 12000, text: Math.max(...shown.rows.slice(shown.head).map((row) => row.text.length)) <= 800, first: shown.seqAt(0) >= store.ring.start };
    },
    spent: ({ timeSpent, timeWords, tokensPerSecond, record }) => {
        const task = record({ id: "t", ts: 10, neuron: "assistant" });
        const child = record({ id: "c", ts: 10.3, parent_id: "t", neuron: "search" });
        const records = [
            task, record({ type: "THOUGHT_DELTA", parent_id: "t", ts: 10.05 }),
            record({ type: "TOOL_CALL", parent_id: "t", ts: 10.08, payload: { tool_name: "glossary", call_id: "1" } }),
            child, record({ type: "TOOL_RESULT", parent_id: "t", ts: 10.35, payload: { tool_name: "glossary", call_id: "1" } }),
            record({ type: "AGENT_OUTPUT", parent_id: "c", ts: 10.5, payload: { output: {} } }),
            record({ type: "AGENT_OUTPUT", parent_id: "t", ts: 11, payload: { output: { usage: { completion_tokens: 19 } } }, meta: { queued_ms: 20, ran_ms: 980 } }),
        ];
        const parts = timeSpent(records, 99);
        return { words: timeWords(parts), sum: Math.round(1000 * parts.reduce((sum, { s }) => sum + s, 0)), rate: Math.round(tokensPerSecond(records)) };
    },
    spentAsking: ({ timeSpent, timeWords, record }) => {
        const retried = [
            record({ id: "1", ts: 1, neuron: "flaky" }), record({ type: "ERROR", parent_id: "1", ts: 2 }),
            record({ id: "2", ts: 5, neuron: "flaky", meta: { attempt: 2, idempotency_key: "1" } }), record({ type: "AGENT_OUTPUT", parent_id: "2", ts: 6 }),
        ];
        const asked = [
            record({ id: "a", ts: 1, neuron: "translate" }), record({ id: "q", type: "CLARIFICATION", parent_id: "a", ts: 2 }),
            record({ id: "b", ts: 9, parent_id: "q", neuron: "translate" }), record({ type: "AGENT_OUTPUT", parent_id: "b", ts: 10 }),
        ];
        const open = [record({ id: "o", ts: 4, neuron: "slow" })];
        const ring = [record({ id: "x", parent_id: "y", ts: 1 }), record({ id: "y", parent_id: "x", ts: 2 })];
        return [retried, asked, open, ring, []].map((records) => timeWords(timeSpent(records, 7)));
    },
    attempts: ({ waterfall, record }) => {
        const meta = (attempt) => ({ attempt, idempotency_key: "1" });
        const rows = waterfall([
            record({ id: "r", ts: 1 }), record({ id: "1", ts: 1, parent_id: "r", neuron: "flaky" }), record({ id: "s", ts: 1.5, parent_id: "r", neuron: "search" }),
            record({ type: "ERROR", parent_id: "1", ts: 2, payload: { code: "X", message: "no" }, meta: { queued_ms: 250, ran_ms: 500 } }),
            record({ id: "2", ts: 3, parent_id: "r", neuron: "flaky", meta: meta(2) }), record({ id: "3", ts: 5, parent_id: "r", neuron: "flaky", meta: meta(3) }),
            record({ type: "THOUGHT_DELTA", parent_id: "3", ts: 5.5, payload: { delta: "hi" }, run: { count: 3, last_ts: 6, at: [0, 250, 500] } }),
        ], 9).rows;
        const [, first] = rows;
        return { rows: rows.map(({ label, what, depth }) => `${depth} ${label} ${what}`), first: [first.queuedAt, first.started, first.queued_s], thought: rows.find(({ record: { id } }) => id === "3").firstThought, ticks: rows.find(({ label }) => label === "THOUGHTS").ticks };
    },
    listed: ({ Store, Filters, Mentions, chosen, record }) => {
        const summary = (id, values) => ({ id, v: 1, began_ts: 1, last_ts: 2, took_s: 1, first_thought_s: null, status: "done", prompt: "", caller: { instance: "aa", name: "web" }, neuron: "chat", neurons: ["chat"], more_neurons: 0, cause: null, ask: null, model: null, ...values });
        const all = [
            summary("trc_15laaaaa", { began_ts: 3, took_s: 2, prompt: "Hello", first_thought_s: 0.5 }),
            summary("trc_2bbbbbbb", { began_ts: 9, status: "failed", cause: { neuron: "flaky", code: "NO", message: "row 7" }, neurons: ["chat", "flaky"] }),
            summary("trc_3ccccccc", { began_ts: 5, status: "running", caller: { instance: "bb", name: "jobs" } }),
        ];
        const store = new Store();
        const filters = new Filters(() => {});
        const mentions = new Mentions(store, filters);
        store.add([record({ trace_id: "trc_3ccccccc", payload: { input: { deep: "needle" } } })]);
        const ask = (values, set = {}) => {
            filters.clear();
            filters.set(set);
            return chosen(all, { status: "", caller: "", sort: "newest", filters, mentioned: mentions.update(), at: 100, ...values }).map(({ id }) => id[4]).join("");
        };
        return {
            newest: ask({}), longest: ask({ sort: "duration" }), thought: ask({ sort: "thought" }), status: ask({ status: "failed" }), caller: ask({ caller: "jobs" }),
            neuron: ask({}, { neuron: "flaky" }), cause: ask({}, { text: "ROW 7" }), short: ask({}, { text: "trc_15la" }), trace: ask({}, { trace: "trc_15la" }), payload: ask({}, { text: "needle" }), instance: ask({}, { instance: "bb" }), kinds: ask({}, { kinds: new Set(["task"]) }),
        };
    },
    namedCallers: ({ nameCallers, namesIn }) => {
        const summaries = [{ caller: { instance: "aa", name: "aa" }, neurons: ["chat"] }, { caller: { instance: "bb", name: "bb" }, neurons: [] }, { caller: null, neurons: ["search"] }];
        nameCallers(summaries, [{ instance: "aa", dendrite_id: "web" }]);
        return namesIn(summaries);
    },
    wholeTrace: async ({ Store, WholeTrace, record }) => {
        const store = new Store();
        const asked = [];
        const answers = [
            { status: 200, body: { summary: { id: "trc_15lab", v: 5 }, records: [record({ n: 2 }), record({ n: 1 })] } },
            { status: 200, body: { summary: { id: "trc_15lab", v: 7 }, records: [record({ n: 2, bytes: 9 }), record({ n: 3 })] } },
            { status: 404 },
        ];
        const ask = async (path) => { asked.push(path); const { status, body } = answers.shift(); return { ok: status === 200, status, json: async () => body }; };
        const trace = new WholeTrace({ store, changed: () => {}, ask });
        const settle = () => new Promise((done) => setTimeout(done, 5));
        trace.open("trc_15la");
        trace.look(0);
        await settle();
        const first = trace.records().map(({ n }) => n);
        store.setTraces({ items: [{ id: "trc_15lab", v: 6 }] });
        const early = trace.look(100);
        trace.look(250);
        await settle();
        const second = trace.records().map(({ n, bytes }) => [n, bytes]);
        store.setTraces({ gone: ["trc_15lab"] });
        trace.look(900);
        trace.open("trc_9");
        store.add([record({ trace_id: "trc_9zz" })]);
        trace.look(1000);
        await settle();
        return { asked, first, early, second, told: trace.told, ring: trace.records().length };
    },
    headed: ({ headlineOf, modelWords, remarkOf, countsOf }) => [
        headlineOf({ status: "failed", cause: { neuron: "flaky", code: "NO", message: "row 7" } }).text,
        headlineOf({ status: "asking", ask: { kind: "clarification", question: "Which?", neuron: "translate", who: "its caller" } }).text,
        headlineOf({ status: "done" }),
        modelWords({ models: ["m-1"], tokens_in: 1200, tokens_out: 40, cost: 0.00125, currency: "USD", finish_reason: "stop", retries: 1 }, 61.2),
        modelWords(null, null),
        remarkOf({ status: "done", beginning: "gone", pinned: "slow", retries: 2 }),
        countsOf({ signals: 1, errors: 2, dropped: 1200, beginning: "gone", pinned: "failed" }),
    ],
    ring: ({ treeRows, waterfall, record }) => {
        const a = record();
        const b = record({ parent_id: a.id });
        a.parent_id = b.id;
        const own = record();
        own.parent_id = own.id;
        return [treeRows([a, b, own]).length, waterfall([a, b, own], 9).rows.length];
    },
    chain: ({ treeRows, record }) => {
        const records = [record()];
        while (records.length < 10000) records.push(record({ parent_id: records[records.length - 1].id }));
        const rows = treeRows(records);
        return [rows.length, rows[9999].depth];
    },
    places: ({ Places }) => {
        const places = new Places();
        const ids = Array.from({ length: 16 }, (_, at) => `n${at}`);
        places.update(ids, 40);
        const before = new Map(places.of);
        const free = places.slots.length - ids.length;
        places.update([...ids.slice(1), "late"], 40);
        const moved = ids.slice(1).filter((id) => places.of.get(id) !== before.get(id)).length;
        places.update(Array.from({ length: 90 }, (_, at) => `n${at}`).slice(0, 40), 40);
        return { free: free > 0, moved, most: places.slots.length, apart: new Set(places.of.values()).size };
    },
    mapLayout: ({ Places, layMap }) => {
        const bad = [];
        const fewest = {};
        const touch = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
        for (const [width, height] of [[982, 540], [1440, 820], [800, 330], [300, 90], [40, 20], [0, 0]]) {
            for (const many of [0, 1, 3, 15, 60, 300]) {
                const nodes = (side) => Array.from({ length: many }, (_, at) => ({ id: `${side}${at}`, name: `summarize-${at}`.repeat(1 + at % 3), sub: "2 running, 3 queued", weight: at === many - 1 ? 9 : 0 }));
                const laid = layMap({ left: { nodes: nodes("caller "), places: new Places() }, right: { nodes: nodes("neuron "), places: new Places() } }, { width, height }, (text, size) => text.length * size * 0.6);
                const spots = [...laid.spots.values()];
                const drawn = spots.filter((spot) => spot.side === "right").length;
                fewest[`${width} ${many}`] = drawn;
                if (laid.hidden.right && drawn > 0 && drawn - 1 + laid.hidden.right !== many) bad.push(`count ${width} ${many}`);
                if (laid.hidden.right && drawn > 1 && !laid.spots.has(`neuron ${many - 1}`)) bad.push(`worst ${width} ${many}`);
                spots.forEach(({ label, x, y, node_px }, at) => {
                    const boxes = [label, { x: x - node_px, y: y - node_px, width: 2 * node_px, height: 2 * node_px }];
                    for (const box of boxes) if (box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height) bad.push(`outside ${width} ${many}`);
                    for (const other of spots.slice(0, at)) if (touch(label, other.label)) bad.push(`labels ${width} ${many}`);
                    for (const other of spots) {
                        const { path } = other;
                        for (let point = 0; point < path.length; point += 2) if (touch(label, { x: path[point], y: path[point + 1], width: 0, height: 0 })) bad.push(`edge ${width} ${many}`);
                    }
                });
            }
        }
        return { bad: [...new Set(bad)], all: [fewest["982 15"], fewest["982 60"], fewest["1440 60"]], some: fewest["982 300"] < 60 && fewest["982 300"] > 20 };
    },
    mapNodes: ({ nodesOf, addStrangers, subOf, record, asksOf, partsOf, partWords }) => {
        const neuron = (neuron_id, state, more = {}) => ({ neuron_id, capabilities: [], state, running: 1, queued: 0, open: 1, ...more });
        const worker = (instance, dendrite_id, ...neurons) => ({ instance, dendrite_id, does: "worker", state: "alive", neurons });
        const caller = (instance, dendrite_id, does = "caller") => ({ instance, dendrite_id, does, state: "alive", neurons: [] });
        const nodes = addStrangers(nodesOf([
            worker("w1", "box-1", neuron("chat", "alive")), worker("w2", "box-2", neuron("chat", "gone", { reason: "lost" })), worker("w3", "box-3", neuron("chat", "alive")),
            worker("w4", "box-4", neuron("slow", "stuck", { reason: "no response" })),
            caller("c1", "web"), caller("c2", "web"), caller("c3", "jobs"), caller("p", "prism", "watcher"),
        ], [{ neuron_id: "payments", missing: true, replicas: {} }]), ["x1", "c1"]);
        const task = record({ neuron: "chat", caller: "c1", worker: "w1", ts: 1 });
        const parts = partsOf(asksOf([task, record({ type: "AGENT_OUTPUT", parent_id: task.id, ts: 3.5 }), record({ neuron: "chat", caller: "c1", ts: 4 })], nodes.at));
        return {
            neurons: nodes.neurons.map((node) => `${node.label}: ${subOf(node)}`),
            callers: nodes.callers.map((node) => node.label),
            watchers: nodes.watchers,
            trace: [...parts].map(([id, part]) => `${id}: ${partWords(part)}`),
        };
    },
    mapFailed: ({ Failed }) => {
        const failed = new Failed();
        failed.note("a", { code: "BAD", message: "row 7" }, 10);
        failed.note("b", { code: "CANCELLED" }, 10);
        failed.expire(69);
        const during = [failed.of("a", 69).reason, failed.of("b", 69)];
        failed.expire(71);
        for (let at = 0; at < 2000; at += 1) failed.note(`n${at}`, {}, 71);
        return [...during, failed.of("a", 71), failed.by.size];
    },
    journeys: ({ Journeys, record }) => {
        const journeys = new Journeys();
        let most = 0;
        for (let now = 0; now < 30000; now += 16) {
            journeys.take(Array.from({ length: 160 }, (_, at) => record({ type: at % 2 ? "TASK" : "THOUGHT_DELTA" })), now, () => ({ caller: "c", worker: "w" }));
            journeys.step(now);
            most = Math.max(most, journeys.live.length);
        }
        return { most: most <= 360, byTask: journeys.byTask.size <= 360, seen: journeys.ratio.seen > 9000, drawn: journeys.ratio.drawn < 200 };
    },
    journey: ({ Journeys, record }) => {
        const journeys = new Journeys();
        const ends = () => ({ caller: "c", worker: "w" });
        const task = record();
        journeys.step(0);
        journeys.step(100);
        journeys.take([task], 100, ends);
        const legs = [];
        const look = (now) => { journeys.step(now); const one = journeys.live[0]; legs.push(one ? `${one.kind} ${journeys.where(one, now).leg}${journeys.where(one, now).held ? " held" : ""}` : "over"); };
        [200, 600, 1100, 1500].forEach(look);
        journeys.take([record({ type: "ERROR", parent_id: task.id })], 1600, ends);
        [1700, 2200, 2700].forEach(look);
        return legs;
    },
    plain: ({ plain, compact, length, age }) => {
        let deep = "bottom";
        for (let at = 0; at < 5000; at += 1) deep = { deep };
        return [plain("a\u0000b\u202ec\u0085"), compact(deep).length < 300, compact({ text: "x".repeat(1e6) }).length < 300, length(0.0123), length(75), age(3700)];
    },
})
