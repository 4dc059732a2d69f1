// Cases for the parts of the page that draw nothing; test_modules.py says what they must return.
({
    bounded: ({ Store, record }) => {
        const store = new Store();
        for (let at = 0; at < 300; at += 1) {
            const batch = [];
            for (let each = 0; each < 100; each += 1) batch.push(record({ trace_id: `trc_${Math.floor((at * 100 + each) / 3)}` }));
            store.add(batch);
        }
        return { size: store.ring.size, traces: store.traces.byId.size, order: store.traces.order.length, held: [...store.traces.byId.values()].reduce((sum, each) => sum + each.size, 0), tasks: [...store.traces.byId.values()].reduce((sum, each) => sum + each.tasks.size, 0) };
    },
    longTrace: ({ Store, record }) => {
        const store = new Store();
        for (let at = 0; at < 400; at += 1) store.add(Array.from({ length: 100 }, () => record({ type: "THOUGHT_DELTA" })));
        const trace = store.traces.get("trc_1");
        return { size: trace.size, slots: trace.kept.length < 25000, cut: trace.cut };
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
    status: ({ Store, record }) => {
        const outcomes = {};
        const settle = (type, payload = {}) => {
            const store = new Store();
            const task = record();
            store.add([task]);
            if (type) store.add([record({ type, parent_id: task.id, payload })]);
            return store.traces.get("trc_1").status;
        };
        for (const type of ["", "AGENT_OUTPUT", "FINAL", "ERROR", "CLARIFICATION"]) outcomes[type] = settle(type);
        outcomes.CANCELLED = settle("ERROR", { code: "CANCELLED" });
        return outcomes;
    },
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
        const wanted = [];
        const before = [];
        let moved = 0;
        for (let at = 0; at < 40; at += 1) {
            wanted.push({ id: `d${at}`, side: "right" });
            places.update(wanted);
            before.forEach((spot, id) => { if (JSON.stringify(places.spot(`d${id}`, 1000, 800)) !== spot) moved += 1; });
            before.push(JSON.stringify(places.spot(`d${at}`, 1000, 800)));
        }
        const spots = new Set(before.filter((each) => each !== "null"));
        return { moved, homes: spots.size, homeless: places.update(wanted) };
    },
    journeys: ({ Journeys, record }) => {
        const journeys = new Journeys();
        let most = 0;
        for (let now = 0; now < 30000; now += 16) {
            journeys.take(Array.from({ length: 160 }, (_, at) => record({ type: at % 2 ? "TASK" : "THOUGHT_DELTA" })), now, () => "w");
            journeys.step(now);
            most = Math.max(most, journeys.live.length);
        }
        return { most: most <= 360, byTask: journeys.byTask.size <= 360, seen: journeys.ratio.seen > 9000, drawn: journeys.ratio.drawn < 200 };
    },
    journey: ({ Journeys, record }) => {
        const journeys = new Journeys();
        const task = record();
        journeys.step(0);
        journeys.step(100);
        journeys.take([task], 100, () => null);
        const legs = [];
        const look = (now) => { journeys.step(now); const one = journeys.live[0]; legs.push(one ? `${one.kind} ${journeys.where(one, now).leg}${journeys.where(one, now).held ? " held" : ""}` : "over"); };
        [200, 600, 1100, 1500].forEach(look);
        journeys.take([record({ type: "ERROR", parent_id: task.id })], 1600, () => null);
        [1700, 2200, 2700].forEach(look);
        return legs;
    },
    plain: ({ plain, compact, length, age }) => {
        let deep = "bottom";
        for (let at = 0; at < 5000; at += 1) deep = { deep };
        return [plain("a\u0000b\u202ec\u0085"), compact(deep).length < 300, compact({ text: "x".repeat(1e6) }).length < 300, length(0.0123), length(75), age(3700)];
    },
})
