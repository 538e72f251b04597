import EndToEndSupport
import Foundation
import Testing

/// restore --plan: its numbers are those of the restore, its exit status too, and it leaves no trace.
@Suite(.servers)
struct RestorePlanTests {
    private typealias Object = [String: Any]

    /// The plan as JSON, with nothing else on standard output.
    private func plan(_ bench: Workbench, _ options: String..., status: Int32 = 0) throws -> Object {
        let outcome = try bench.attempt(options + ["--plan", "--output=json", "restore"])
        #expect(outcome.status == status, "\(outcome)")
        return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? Object, "\(outcome)")
    }

    /// Everything in the folder with its content, mode and time; but for what the server itself does.
    private func trace(_ bench: Workbench) throws -> String {
        try run(
            ["sh", "-c", "find . -printf '%p %y %s %m %u %l %T@ %C@\\n' | sort; find . -type f -exec sha1sum {} + | sort"],
            in: bench.folder.path
        ).output
    }

    @Test func planAndRestore() throws {
        let bench = try Workbench(Format(.zst), options: ["repo1-bundle": "y"])
        let cluster = try bench.clusterWithBackup()
        try cluster.archiveCurrentSegment()

        // While the server runs nothing is in the way of looking.
        let running = try bench.attempt("--delta", "--plan", "restore")
        #expect(running.status == 0 && running.output.contains("WARN: a server runs in '\(bench.data)'"), "\(running)")
        try cluster.stop()
        let before = try trace(bench)
        #expect(try bench.attempt("--plan", "restore").status == 40)
        let delta = try plan(bench, "--delta")
        let text = try bench.run("--delta", "--plan", "restore").output
        #expect(try trace(bench) == before)
        #expect(text.hasSuffix("Nothing is known to be in the way of this restore.\n"), "\(text)")
        #expect(text.contains("chosen: the newest\n") && text.contains("recovery.signal: an empty file"), "\(text)")

        // What is compared is what the restore finds to be right or replaces.
        let kept = try bench.run("--delta", "--log-level-console=detail", "restore").text
        let compared = try #require((delta["file"] as? Object)?["compared"] as? Object)
        let atOnce = try #require((delta["file"] as? Object)?["kept"] as? Object)
        let found = kept.split(separator: "\n").count { $0.contains("exists and matches backup") }
        let looked = (compared["file"] as? Int ?? 0) + (atOnce["file"] as? Int ?? 0)
        #expect(found > 500 && found <= looked && looked - found < 50, "\(found) of \(looked)")

        // A folder that does not exist does not come to exist.
        try run(["rm", "-rf", bench.data])
        let empty = try trace(bench)
        let whole = try plan(bench, "--type=lsn", "--target=FF/0")
        #expect((whole["warning"] as? [String])?.first?.hasPrefix("the WAL of target FF/0 is not in the archive") == true)
        let json = try plan(bench)
        #expect(try trace(bench) == empty)

        let calls = bench.folder.path("calls")
        let outcome = try attempt(
            ["strace", "-f", "-e", "trace=openat", "-o", calls] + bench.command(["--log-level-console=info", "restore"]),
            in: bench.folder.path)
        #expect(outcome.status == 0, "\(outcome)")
        let files = try #require(json["file"] as? Object)
        #expect(outcome.text.contains("file total = \(try #require(files["total"] as? Int))\n"), "\(files) \(outcome)")
        let request = try #require(files["request"] as? [String: Int])
        let opened = try String(contentsOfFile: calls, encoding: .utf8).split(separator: "\n").count {
            $0.contains("\(bench.repository)/backup/demo/2") && !$0.contains("backup.manifest") && !$0.contains(" = -1")
                && !$0.contains("O_DIRECTORY")
        }
        #expect(request["at-least"] == opened && request["at-most"] == opened, "\(request) \(opened)")

        let recovery = try #require(json["recovery"] as? Object)
        let lines = try #require(recovery["line"] as? [String])
        let written = try String(contentsOfFile: "\(bench.data)/postgresql.auto.conf", encoding: .utf8)
        #expect(lines.count > 1 && written.hasSuffix(lines.dropFirst().map { $0 + "\n" }.joined()), "\(lines) \(written)")
        #expect(FileManager.default.fileExists(atPath: "\(bench.data)/\(try #require(recovery["signal"] as? String))"))
        let wal = try #require(json["wal"] as? Object)
        #expect(wal["newest"] as? String == (try bench.info().archive.last?.max))
        #expect(((wal["consistency"] as? Object)?["missing"] as? [Any])?.isEmpty == true)
    }

    /// What cannot be reached is refused by restore and plan alike, with what can.
    @Test(arguments: [
        PointInTimeTests.Refused(description: "time before the first backup", status: 75) { _ in
            ["--type=time", "--target=2001-01-01 00:00:00+00"]
        },
        PointInTimeTests.Refused(description: "lsn before the first backup", status: 75) { _ in ["--type=lsn", "--target=0/28"] },
        PointInTimeTests.Refused(description: "lsn before the end of the backup that was chosen", status: 75) {
            ["--set=\($0.second)", "--type=lsn", "--target=\($0.moments["one"]!.beforeCommit)"]
        },
        PointInTimeTests.Refused(description: "a backup that does not exist", status: 75) { _ in ["--set=20010101-000000F"] },
        PointInTimeTests.Refused(description: "a timeline that does not exist", status: 55) { _ in ["--target-timeline=7"] },
    ])
    func unreachable(_ example: PointInTimeTests.Refused) throws {
        let history = try PointInTimeTests.history.get()
        let bench = try Workbench(sharing: history.bench)
        let before = try trace(bench)
        for plan in [["--plan"], []] {
            let outcome = try bench.attempt(example.options(history) + plan + ["restore"])
            #expect(outcome.status == example.status && outcome.text.contains("ERROR: [0\(example.status)]"), "\(outcome)")
            for set in [history.first, history.second] {
                let line = outcome.text.split(separator: "\n").first { $0.contains("HINT: repo1: --set=\(set), which ended at ") }
                #expect(line?.contains("; timeline 2 from ") == true, "\(outcome)")
            }
            if !plan.isEmpty { #expect(try trace(bench) == before) }
            #expect(!FileManager.default.fileExists(atPath: bench.data))
        }
    }

    @Test func missingWAL() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        for row in 2001...2003 {
            try cluster.query("INSERT INTO item VALUES (\(row))")
            try cluster.archiveCurrentSegment()
        }
        try cluster.stop()
        try run(["rm", "-rf", bench.data])
        let wal = try #require(try plan(bench)["wal"] as? Object)
        let following = try #require(wal["following"] as? Object)
        #expect(following["count"] as? Int == 3 && (following["missing"] as? [Any])?.isEmpty == true)
        func remove(_ segment: Any?) throws -> String {
            let name = try #require(segment as? String)
            for file in try bench.files.names("archive/demo") where file.contains(name + "-") { try bench.files.remove(file) }
            return name
        }
        let gap = try remove(following["first"])
        let text = try bench.run("--plan", "restore").output
        #expect(text.contains("1 MISSING") && text.contains("HINT: recovery ends before \(gap)"), "\(text)")
        let needed = try remove((wal["consistency"] as? Object)?["first"])
        let refused = try bench.attempt("--plan", "restore")
        #expect(refused.status == 75 && refused.text.contains("WAL \(needed) (1 segment) is neither in the archive"), "\(refused)")
        #expect(refused.output.hasSuffix("This restore would be refused.\n"), "\(refused)")
        let error = try #require(try plan(bench, status: 75)["error"] as? Object)
        #expect(error["code"] as? Int == 75)
    }
}
