import EndToEndSupport
import Foundation
import Testing

/// Backups that hold what changed: each of a chain comes back as the cluster was when it was made.
@Suite(.servers)
struct IncrementalTests {
    @Test(
        arguments: RepositoryCase.table(
            .incremental, [Format(.none), Format(.zst, .aes), Format(.gz)], elsewhere: [Format(.zst), Format(.lz4, .aes)]))
    func chain(_ example: RepositoryCase) throws {
        let bench = try Workbench(example)
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        try cluster.query(
            """
            CREATE TABLE item (id int PRIMARY KEY, text text); INSERT INTO item SELECT n, 'row ' || n FROM generate_series(1, 1000) n;
            CREATE TABLE still AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 20000) n;
            CREATE TABLE gone AS SELECT * FROM still
            """)
        var rows: [String] = []
        func backup(_ options: [String], after change: String) throws {
            for statement in change.split(separator: ";") { try cluster.query(String(statement)) }
            // Nobody changes anything from here to the end of the backup, so its end is this moment.
            rows.append(try cluster.fingerprint())
            try bench.run(options + ["backup"])
        }
        try backup([], after: "SELECT 1") // incr is the default, and there is nothing to be made onto yet
        try backup(["--type=incr"], after: "UPDATE item SET text = 'changed' WHERE id % 10 = 0")
        try backup([], after: "INSERT INTO item SELECT n, 'later ' || n FROM generate_series(1001, 3000) n; TRUNCATE gone")
        try backup(["--type=diff"], after: "VACUUM FULL item; DROP TABLE gone; CREATE TABLE added AS SELECT * FROM still WHERE id < 50")
        try backup(["--delta"], after: "DELETE FROM item WHERE id > 2000")
        try cluster.archiveCurrentSegment()
        try cluster.stop()

        let backups = try bench.info().backup
        #expect(backups.map(\.type) == ["full", "incr", "incr", "diff", "incr"])
        let labels = backups.map(\.label)
        #expect(labels.dropFirst().allSatisfy { $0.hasPrefix(labels[0] + "_") })
        #expect(backups.map { $0.reference ?? [] } == [[], [labels[0]], [labels[0], labels[1]], [labels[0]], [labels[0], labels[3]]])
        // What did not change is stored once.
        let table = try run(["sh", "-ec", "ls -S \"$0\"/base/*/* | grep -E '/[0-9]+$' | head -n 1", bench.data]).output
            .trimmingCharacters(in: .newlines).dropFirst(bench.data.count + 1)
        #expect(try bench.files.names("backup/demo").filter { $0.hasSuffix("/pg_data/\(table)\(example.format.codec.suffix)") }.count == 1)
        for (label, rows) in zip(labels, rows) {
            try run(["rm", "-rf", bench.data])
            let restored = try bench.restore("data", "--set=\(label)", "--type=immediate", "--target-action=promote")
            try restored.start(["archive_mode=off"])
            try restored.waitForPromotion()
            #expect(try restored.fingerprint() == rows, "\(label)")
            try restored.stop()
            try run([restored.installation.program("pg_checksums"), "--check", "-D", restored.data])
        }
    }

    /// A stopped cluster with a full backup, for looking at what becomes of single files.
    private func stopped(_ options: KeyValuePairs<String, String> = [:]) throws -> Workbench {
        let source = try Segments.source.get()
        let bench = try Workbench(Format(.zst), options: options)
        try run(["cp", "-a", source.folder.path("data"), bench.data])
        try run(
            ["sh", "-ec", "echo one >note; echo two >other; head -c 3000000 /dev/urandom >large; touch -d @1700000000 note other large"],
            in: bench.data)
        try bench.run("--no-online", "stanza-create")
        try bench.run("--no-online", "--type=full", "backup")
        return bench
    }

    private func incr(_ bench: Workbench, _ options: String...) throws -> (outcome: Outcome, stored: [String]) {
        let outcome = try bench.run(["--no-online", "--log-level-console=detail"] + options + ["backup"])
        let label = try #require(try bench.labels().last)
        let names = try bench.files.names("backup/demo/\(label)").compactMap { name in
            name.range(of: "/pg_data/").map { String(name[$0.upperBound...]) }
        }
        return (outcome, names.sorted())
    }

    @Test func whatIsStored() throws {
        let bench = try stopped()
        let unchanged = try bench.attempt("--no-online", "backup")
        #expect(unchanged.status == 55 && unchanged.text.contains("no files have changed since the last backup"), "\(unchanged)")

        // Another time alone is no change, where it is found out while nothing is stored yet.
        try run(["touch", "-d", "@1700000001", "note", "large"], in: bench.data)
        try run(["sh", "-ec", "echo new >new"], in: bench.data)
        let touched = try incr(bench)
        #expect(touched.stored == ["large.zst", "new.zst"], "\(touched.outcome)")
        #expect(touched.outcome.text.contains("match file from prior backup \(bench.data)/note"), "\(touched.outcome)")
        let labels = try bench.labels()
        let entry = try run(["grep", "^pg_data/note=", "\(bench.repository)/backup/demo/\(labels[1])/backup.manifest"]).output
        #expect(entry.contains("\"timestamp\":1700000001") && entry.contains("\"reference\":\"\(labels[0])\""), "\(entry)")

        // The same size and time hide a change, and --delta finds it.
        try run(["sh", "-ec", "echo 222 >other; touch -d @1700000000 other; echo newer >new"], in: bench.data)
        #expect(try incr(bench).stored == ["new.zst"])
        let delta = try incr(bench, "--delta")
        #expect(delta.stored == ["other.zst"], "\(delta.outcome)")

        // A clock that went back: nothing is believed any more.
        try run(["sh", "-ec", "echo 333 >other; touch -d @1600000000 note; touch -d @1700000000 other"], in: bench.data)
        let back = try incr(bench)
        #expect(back.outcome.text.contains("has timestamp earlier than prior backup"), "\(back.outcome)")
        #expect(back.stored == ["other.zst"], "\(back.outcome)")
        try run(["rm", "-rf", bench.data])
        let restored = try bench.restore("data", "--type=none")
        #expect(try run(["cat", "note", "other", "new"], in: restored.data).output == "one\n333\nnewer\n")
    }

    /// What the set was begun with stays.
    @Test func settingsOfTheSet() throws {
        let bench = try stopped()
        try run(["sh", "-ec", "echo three >note"], in: bench.data)
        let other = try incr(bench, "--compress-type=gz")
        #expect(other.stored == ["note.zst"])
        #expect(
            other.outcome.text.contains(
                "incr backup cannot alter 'compress-type' option to 'gz', reset to 'zst' from \(try bench.labels()[0])"), "\(other.outcome)"
        )
        // A new set has what is asked for.
        try bench.run("--no-online", "--type=full", "--compress-type=gz", "backup")
        try run(["sh", "-ec", "echo four >note"], in: bench.data)
        #expect(try incr(bench, "--compress-type=gz").stored == ["note.gz"])
    }

    /// A backup is never made onto one that is damaged: an older one does, and without any it is refused.
    @Test func damagedPrior() throws {
        let bench = try stopped()
        try run(["sh", "-ec", "echo three >note"], in: bench.data)
        _ = try incr(bench)
        let labels = try bench.labels()
        func damage(_ label: String) throws {
            for suffix in ["", ".copy"] {
                try bench.files.replace("backup-type", with: "backup-tape", in: "backup/demo/\(label)/backup.manifest\(suffix)")
            }
        }
        try damage(labels[1])
        let older = try incr(bench)
        #expect(older.outcome.text.contains("backup '\(labels[1])' cannot be what this one is made onto"), "\(older.outcome)")
        #expect(older.stored == ["note.zst"])
        #expect(try bench.info().backup.last?.reference == [labels[0]])
        try damage(labels[0])
        try damage(try #require(try bench.labels().last))
        let refused = try bench.attempt("--no-online", "backup")
        #expect(refused.status == 75 && refused.text.contains("--type=full"), "\(refused)")
        try bench.run("--no-online", "--type=full", "backup")
    }
}
