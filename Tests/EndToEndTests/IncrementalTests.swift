import EndToEndSupport
import Foundation
import Testing

/// Backups that hold what changed: each of a chain comes back as the cluster was when it was made.
@Suite(.servers)
struct IncrementalTests {
    @Test(
        arguments: RepositoryCase.table(
            .incremental, [Format(.none), Format(.zst, .aes), Format(.gz)], elsewhere: [Format(.zst), Format(.lz4, .aes)]))
    func chain(_ example: RepositoryCase) throws { try chain(Workbench(example), example.kind) }

    @Test(
        arguments: RepositoryCase.table(
            .bundles, [Format(.none), Format(.none, .aes), Format(.lz4), Format(.bz2, .aes)], elsewhere: [Format(.zst, .aes), Format(.gz)]))
    func bundles(_ example: RepositoryCase) throws {
        // So small that there are several, and large tables stay files.
        let bench = try Workbench(example, options: ["repo1-bundle": "y", "repo1-bundle-size": "1MiB", "repo1-bundle-limit": "256KiB"])
        try chain(bench, example.kind, atMost: 40)
    }

    /// Of what changed in large files only the blocks, in files of their own and in bundles.
    @Test(
        arguments: RepositoryCase.table(
            .blocks, [Format(.none), Format(.zst, .aes), Format(.bz2), Format(.gz)],
            elsewhere: [Format(.zst), Format(.lz4, .aes), Format(.gz)]))
    func blocks(_ example: RepositoryCase) throws {
        let isAllBundled = example.row % 4 == 0
        let bench = try Workbench(
            example,
            options: [
                "repo1-bundle": "y", "repo1-block": "y", "repo1-bundle-size": "1MiB", "repo1-bundle-limit": isAllBundled ? "8MiB" : "64KiB",
            ])
        try chain(bench, example.kind, atMost: isAllBundled ? 40 : 100)
        let stored = try bench.files.names("backup/demo/\(try bench.labels()[1])").filter { $0.hasSuffix(".pgbi") }
        #expect(stored.isEmpty == isAllBundled)
    }

    /// `most`: objects of a backup; nil: one for each of nearly a thousand files.
    private func chain(_ bench: Workbench, _ kind: RepositoryKind, atMost most: Int? = nil) throws {
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        try cluster.query(
            """
            CREATE TABLE item (id int PRIMARY KEY, text text); INSERT INTO item SELECT n, 'row ' || n FROM generate_series(1, 1000) n;
            CREATE TABLE still AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 20000) n;
            CREATE TABLE large AS SELECT * FROM still;
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
        try backup(
            ["--type=incr"], after: "UPDATE item SET text = 'changed' WHERE id % 10 = 0; UPDATE large SET text = 'one' WHERE id = 7000")
        try backup([], after: "INSERT INTO item SELECT n, 'later ' || n FROM generate_series(1001, 3000) n; TRUNCATE gone")
        try backup(["--type=diff"], after: "VACUUM FULL item; DROP TABLE gone; CREATE TABLE added AS SELECT * FROM still WHERE id < 50")
        try backup(["--delta"], after: "DELETE FROM item WHERE id > 2000")
        let still = try cluster.query("SELECT pg_relation_filepath('still')")
        try cluster.archiveCurrentSegment()
        try cluster.stop()

        let backups = try bench.info().backup
        #expect(backups.map(\.type) == ["full", "incr", "incr", "diff", "incr"])
        let labels = backups.map(\.label)
        #expect(labels.dropFirst().allSatisfy { $0.hasPrefix(labels[0] + "_") })
        #expect(backups.map { $0.reference ?? [] } == [[], [labels[0]], [labels[0], labels[1]], [labels[0]], [labels[0], labels[3]]])
        for label in labels {
            let names = try bench.files.names("backup/demo/\(label)")
            if let most { #expect(names.count < most, "\(label): \(names.count)") }
            #expect(names.contains { $0.contains("/bundle/") } == (most != nil))
        }
        // What did not change is stored once.
        if most == nil {
            let file = "/pg_data/\(still)\(bench.format.codec.suffix)"
            #expect(try bench.files.names("backup/demo").filter { $0.hasSuffix(file) }.count == 1)
        }
        // Elsewhere two of them do, each of which needs all that it is made onto.
        for (index, (label, rows)) in zip(labels, rows).enumerated() where kind.isFolder || index == 2 || index == 4 {
            // The last one over what the one before has left.
            let restored = try bench.expect(rows, inBackup: label, over: label == labels.last)
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
            [
                "sh", "-ec",
                "echo one >note; echo two >other; head -c 3000000 /dev/urandom >large; find . -exec touch -h -d @1700000000 {} +",
            ],
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
        try run(["touch", "-d", "@1700000005", "note", "large"], in: bench.data)
        try run(["sh", "-ec", "echo new >new; touch -d @1700000002 new"], in: bench.data)
        let touched = try incr(bench)
        #expect(touched.stored == ["large.zst", "new.zst"], "\(touched.outcome)")
        #expect(touched.outcome.text.contains("match file from prior backup \(bench.data)/note"), "\(touched.outcome)")
        let labels = try bench.labels()
        let entry = try run(["grep", "^pg_data/note=", "\(bench.repository)/backup/demo/\(labels[1])/backup.manifest"]).output
        #expect(entry.contains("\"timestamp\":1700000005") && entry.contains("\"reference\":\"\(labels[0])\""), "\(entry)")

        // The same size and time hide a change, and --delta finds it.
        try run(["sh", "-ec", "echo 222 >other; touch -d @1700000000 other; echo newer >new; touch -d @1700000003 new"], in: bench.data)
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

    /// A file that is written again in the second in which it was read has the same size and time, and is another.
    @Test func writtenInTheSameSecond() throws {
        let bench = try stopped()
        let second = try eventually("the file is read before the second is over, or just after it", within: 60) { () throws -> Int? in
            let second = Int(Date().timeIntervalSince1970)
            try run(["sh", "-ec", "echo five >note; echo $0 >>other; touch -d @$0 note", "\(second)"], in: bench.data)
            #expect(try incr(bench).stored == ["note.zst", "other.zst"])
            let label = try #require(try bench.labels().last)
            let entry = try run(["grep", "^pg_data/note=", "\(bench.repository)/backup/demo/\(label)/backup.manifest"]).output
            return entry.contains("\"timestamp\":\(second - 1)}") ? second : nil
        }
        try run(["sh", "-ec", "echo nine >note; touch -d @$0 note", "\(second)"], in: bench.data)
        #expect(try incr(bench).stored.contains("note.zst"))
        try run(["rm", "-rf", bench.data])
        let restored = try bench.restore("data", "--type=none")
        #expect(try run(["cat", "note"], in: restored.data).output == "nine\n")
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

    /// What happens to files between their listing and their turn: emptied, gone, shorter, longer, other content.
    @Test(arguments: ["files", "bundles", "blocks"])
    func changesMeanwhile(_ kind: String) throws {
        let source = try Segments.source.get()
        let bench = try Workbench(
            Format(.bz2),
            options: [
                "process-max": "1", "repo1-bundle": kind == "files" ? "n" : "y", "repo1-block": kind == "blocks" ? "y" : "n",
                "repo1-bundle-limit": "64KiB",
            ])
        try run(["cp", "-a", source.folder.path("data"), bench.data])
        let make = """
            mkdir -m 700 work && cd work && head -c 40000000 /dev/urandom >large
            for name in emptied gone shorter longer other still; do printf 'content of %s\\n' $name >$name; done
            head -c 320000 /dev/urandom >emptied-large; chmod 600 *
            """
        try run(["sh", "-ec", make], in: bench.data)
        try bench.run("--no-online", "stanza-create")
        for type in ["full", "incr"] {
            if type == "incr" {
                try run(
                    [
                        "sh", "-ec",
                        "cd work; for n in emptied gone shorter longer other; do echo more >>$n; done; head -c 40000000 /dev/urandom >large; head -c 320000 /dev/urandom >emptied-large",
                    ],
                    in: bench.data)
            }
            let running = try bench.launch("--no-online", "--type=\(type)", "backup")
            // The largest is first.
            try eventually("the backup is at work") {
                if let outcome = running.poll() { throw Failure("it ended too early\n\(outcome)") }
                return try bench.info().status.lock?.backup.sizeComplete ?? 0 > 0 ? true : nil
            }
            let change =
                "cd work; : >emptied; : >emptied-large; rm gone; printf s >shorter; echo longer >>longer; tr a-z A-Z <other >o; cat o >other"
            try run(["sh", "-ec", change], in: bench.data)
            let outcome = try running.wait()
            #expect(outcome.status == 0, "\(outcome)")
            let restored = try bench.restore("restored-\(type)", "--type=none")
            let compare =
                "cd work; for n in emptied emptied-large shorter longer other still large; do cmp $n \"$0/work/$n\"; done; ! test -e \"$0/work/gone\""
            try run(["sh", "-ec", compare, restored.data], in: bench.data)
            let label = try #require(try bench.labels().last)
            for name in ["emptied", "emptied-large"] {
                let entry = try run(["grep", "^pg_data/work/\(name)=", "\(bench.repository)/backup/demo/\(label)/backup.manifest"]).output
                #expect(entry.contains("\"size\":0") && !entry.contains("bni") && !entry.contains("reference"), "\(entry)")
                // An empty map was a fault of the field: the next backup of the set could not be made.
                #expect(entry.contains("\"bi\":1") == (kind == "blocks" && name == "emptied-large") && !entry.contains("bim"), "\(entry)")
            }
            try run(["sh", "-ec", "echo again >work/gone"], in: bench.data)
        }
    }

    /// Another host removes the backup that a running one is made onto: there is no backup on nothing, and no manifest of one.
    @Test func priorIsRemovedMeanwhile() throws {
        let source = try Segments.source.get()
        let bench = try Workbench(Format(.bz2), options: ["process-max": "1"])
        try run(["cp", "-a", source.folder.path("data"), bench.data])
        try bench.run("--no-online", "stanza-create")
        try bench.run("--no-online", "--type=full", "backup")
        try run(["sh", "-ec", "echo one >note"], in: bench.data)
        try bench.run("--no-online", "backup")
        let prior = try #require(try bench.labels().last)
        try run(["sh", "-ec", "head -c 40000000 /dev/urandom >large"], in: bench.data)
        let running = try bench.launch("--no-online", "backup")
        try eventually("the backup is at work") {
            if let outcome = running.poll() { throw Failure("it ended too early\n\(outcome)") }
            return try bench.info().status.lock?.backup.sizeComplete ?? 0 > 0 ? true : nil
        }
        running.signal(SIGSTOP)
        let locks = try bench.folder.makeDirectory("other-lock")
        try bench.run("--lock-path=\(locks)", "--set=\(prior)", "expire", tool: .peer)
        running.signal(SIGCONT)
        let outcome = try running.wait()
        #expect(outcome.status == 51 && outcome.text.contains("backup '\(prior)', which this one is made onto, was removed"), "\(outcome)")
        #expect(try bench.labels().count == 1)
        #expect(try bench.files.names("backup/demo").filter { $0.hasSuffix("/backup.manifest") }.count == 1)
        try bench.run("--no-online", "backup")
        #expect(try bench.info().backup.map(\.type) == ["full", "incr"])
    }

    /// A run was killed between its manifest and the list: its backup is found, and what is made onto it counts.
    @Test func priorWasNotListed() throws {
        let bench = try Workbench(Format(.zst))
        try GoldenTiny.beginStopped(bench)
        try bench.run("--no-online", "--type=full", "backup")
        let lists = ["backup.info", "backup.info.copy"].map { "backup/demo/\($0)" }
        for list in lists { try bench.files.copy(list, to: "\(list).kept") }
        try run(["sh", "-ec", "echo one >note"], in: bench.data)
        try bench.run("--no-online", "backup")
        let found = try #require(try bench.labels().last)
        for list in lists {
            try bench.files.copy("\(list).kept", to: list)
            try bench.files.remove("\(list).kept")
        }
        #expect(try bench.labels().count == 1)
        try run(["sh", "-ec", "echo two >other"], in: bench.data)
        let outcome = try bench.run("--no-online", "backup")
        #expect(outcome.text.contains("backup '\(found)' found in repository added to backup.info"), "\(outcome)")
        let backups = try bench.info().backup
        #expect(backups.map(\.type) == ["full", "incr", "incr"] && backups.last?.reference == backups.dropLast().map(\.label))
        try run(["rm", "-rf", bench.data])
        let restored = try bench.restore("data", "--type=none")
        #expect(try run(["cat", "note", "other"], in: restored.data).output == "one\ntwo\n")
    }

    /// With hard links every backup is a cluster of its own in the folder of the repository: PostgreSQL starts on it.
    @Test(arguments: [false, true])
    func hardLinks(_ isSealed: Bool) throws {
        let bench = try Workbench(Format(isSealed ? .zst : .none, isSealed ? .aes : .none), options: ["repo1-hardlink": "y"])
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        let space = try bench.folder.makeDirectory("space")
        try cluster.query("CREATE TABLESPACE space LOCATION '\(space)'")
        try cluster.query("CREATE TABLE item TABLESPACE space AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 5000) n")
        try cluster.query("CREATE TABLE still AS SELECT * FROM item")
        var rows: [String] = []
        for type in ["full", "incr", "diff"] {
            try cluster.query("UPDATE item SET text = '\(type)' WHERE id < 100")
            rows.append(try cluster.fingerprint())
            try bench.run("--type=\(type)", "--archive-copy", "backup")
        }
        try cluster.stop()
        for (label, rows) in zip(try bench.labels(), rows) {
            let folder = "\(bench.repository)/backup/demo/\(label)"
            let links = try run(["find", folder, "-type", "f", "-links", "+1"]).output.split(separator: "\n").count
            #expect(links > 500)
            if isSealed { continue }
            // What starts would write into the backup, so a copy does.
            let copy = bench.folder.path("copy")
            try run(["rm", "-rf", copy])
            try run(["cp", "-a", folder, copy])
            let started = try Cluster(.version(15), in: bench.folder, name: "copy/pg_data")
            // The links of tablespaces lead into the copy; the map would lead them to where the cluster had them.
            try run(["sh", "-ec", "chmod -R u+rwX,go= \"$0\"/..; rm \"$0\"/tablespace_map", started.data])
            try started.start(["archive_mode=off"])
            try started.waitForPromotion()
            #expect(try started.fingerprint() == rows, "\(label)")
            try started.stop()
        }
        try run(["rm", "-rf", space])
        try bench.expect(rows[2])
    }
}
