import EndToEndSupport
import Foundation
import Testing

/// What a restore or a backup is pointed at and is not there, or is not free: labels, references of a manifest, places.
@Suite(.servers)
struct NowhereTests {
    /// A stopped cluster with a full backup, and an incr onto it that has one file of its own.
    private func scene() throws -> (bench: Workbench, labels: [String]) {
        let bench = try Workbench(Format(.zst), options: ["job-retry": "0"])
        try GoldenTiny.beginStopped(bench)
        try run(["sh", "-ec", "echo one >note; chmod 600 note"], in: bench.data)
        try bench.run("--no-online", "--type=full", "backup")
        try run(["sh", "-ec", "echo three >note"], in: bench.data)
        try bench.run("--no-online", "--type=incr", "backup")
        return (bench, try bench.labels())
    }

    private func restore(_ bench: Workbench, _ options: [String] = []) throws -> Outcome {
        let place = bench.folder.path("restored")
        try run(["sh", "-ec", "rm -rf \"$0\"; mkdir -m 700 \"$0\"", place])
        return try bench.attempt(["--pg1-path=\(place)", "--type=none"] + options + ["restore"])
    }

    /// Nothing that a server could be started on.
    private func expectNothing(_ bench: Workbench) throws {
        #expect(try attempt(["test", "-e", "\(bench.folder.path("restored"))/global/pg_control"]).status == 1)
    }

    @Test func labels() throws {
        let (bench, _) = try scene()
        let unknown = try restore(bench, ["--set=20010101-000000F"])
        #expect(unknown.status == 75 && unknown.text.contains("backup set 20010101-000000F is not valid"), "\(unknown)")
        #expect(unknown.text.contains("info' lists the backups that there are"), "\(unknown)")
        let wrong = try restore(bench, ["--set=yesterday"])
        #expect(wrong.status == 32 && wrong.text.contains("'yesterday' is not valid for '--set' option"), "\(wrong)")
        #expect(wrong.text.contains("a backup label looks like 20261121-033952F"), "\(wrong)")
        #expect(try run(["ls", "-A", bench.folder.path("restored")]).output.isEmpty)
    }

    /// A manifest whose files are said to be in a backup that is not in its list, that is in no list, or that is gone.
    @Test(arguments: ["not in its list", "in no list", "gone"])
    func references(_ kind: String) throws {
        let (bench, labels) = try scene()
        let nowhere = "20010101-000000F"
        switch kind {
        case "gone": try run(["rm", "-rf", "\(bench.repository)/backup/demo/\(labels[0])"])
        default:
            try Forgery.manifests(of: labels[1], in: bench) { text in
                let files = text.replacing("\"reference\":\"\(labels[0])\"", with: "\"reference\":\"\(nowhere)\"")
                #expect(files != text)
                return kind == "not in its list"
                    ? files : try Forgery.replace("backup-reference=\"\(labels[0])", with: "backup-reference=\"\(nowhere)", files)
            }
        }
        let outcome = try restore(bench, ["--set=\(labels[1])"])
        let missing = kind == "gone" ? labels[0] : nowhere
        #expect(outcome.status == (kind == "not in its list" ? 25 : 55), "\(outcome)")
        #expect(outcome.text.contains(missing), "\(outcome)")
        try expectNothing(bench)

        // The next backup is made onto the one before it, if that is whole, or not at all.
        try run(["sh", "-ec", "echo seven >note"], in: bench.data)
        let next = try bench.attempt("--no-online", "--type=incr", "backup")
        if kind == "gone" {
            // Both are no more.
            #expect(next.status == 0 && next.text.contains("no prior backup exists, incr backup has been changed to full"), "\(next)")
            for label in labels { #expect(next.text.contains("backup '\(label)' missing manifest removed from backup.info"), "\(next)") }
            #expect(try bench.info().backup.map(\.type) == ["full"])
        } else {
            #expect(next.status == 0 && next.text.contains("backup '\(labels[1])' cannot be what this one is made onto"), "\(next)")
            #expect(next.text.contains(nowhere), "\(next)")
            #expect(try bench.info().backup.last?.reference == [labels[0]])
            #expect(try restore(bench).status == 0)
            #expect(try run(["cat", "\(bench.folder.path("restored"))/note"]).output == "seven\n")
        }
    }

    /// Places that have files of somebody else.
    @Test func places() throws {
        let bench = try GoldenTiny.unpack("tiny-none")
        let label = try #require(try bench.labels().first)
        let (space, taken) = (bench.folder.path("ts"), bench.folder.path("taken"))
        try run(["sh", "-ec", "mkdir -p \"$0\"/PG_15_202209061; echo keep >\"$0\"/PG_15_202209061/keep; echo keep >\"$0\"/keep", taken])
        for (options, status, words) in [
            (["--tablespace-map=16400=\(taken)"], 40, "'\(taken)/PG_15_202209061' because it contains files"),
            (["--tablespace-map=ts16400=\(taken)"], 40, "'\(taken)/PG_15_202209061' because it contains files"),
            (["--tablespace-map=16400=\(space)", "--link-map=base=\(taken)"], 40, "'\(taken)' because it contains files"),
            (
                ["--tablespace-map=16400=\(space)", "--link-map=postgresql.conf=\(taken)/keep"], 93,
                "'\(taken)/keep' because it already exists"
            ),
            (["--tablespace-map=16400=\(space)", "--link-map=base=\(taken)/keep"], 53, "'\(taken)/keep' is not a folder"),
            (["--tablespace-map=16400=\(taken)", "--link-map=base=\(taken)"], 70, "destination"),
            (["--tablespace-map=none=\(space)"], 76, "unable to remap invalid tablespace 'none'"),
            (["--tablespace-map=16400=\(space)", "--link-map=none=\(space)"], 78, "unable to remap invalid link 'none'"),
        ] as [([String], Int32, String)] {
            let outcome = try restore(bench, ["--set=\(label)"] + options)
            #expect(outcome.status == status && outcome.text.contains(words), "\(options): \(outcome)")
            #expect(try run(["ls", "-A", bench.folder.path("restored")]).output.isEmpty)
            #expect(try run(["find", taken, "-type", "f"]).output.split(separator: "\n").count == 2)
        }
    }
}
