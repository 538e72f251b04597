import EndToEndSupport
import Testing

/// A backup that is listed but whose manifest is lost: what can be made again is, and nothing is removed that somebody may still need.
@Suite(.servers)
struct LostManifestTests {
    private func files(_ bench: Workbench, _ label: String) throws -> String {
        try run([
            "sh", "-c", "cd \"$0\" && find . -type f ! -name 'backup.manifest*' -exec sha1sum {} + | sort",
            "\(bench.repository)/backup/demo/\(label)",
        ])
        .output
    }

    /// The main file is made again from its copy by the next backup.
    @Test(arguments: [Format(.zst), Format(.gz, .aes)])
    func mainFile(_ format: Format) throws {
        let bench = try Workbench(format)
        let cluster = try bench.clusterWithBackup()
        let rows = try cluster.fingerprint()
        let label = try #require(try bench.labels().first)
        let before = try files(bench, label)
        let manifest = "\(bench.repository)/backup/demo/\(label)/backup.manifest"
        try run(["rm", manifest])
        let outcome = try bench.run("--type=full", "backup")
        #expect(outcome.text.contains("'\(label)'"), "\(outcome)")
        #expect(!outcome.text.contains("removed from backup.info"), "\(outcome)")
        #expect(try run(["cmp", manifest, "\(manifest).copy"]).status == 0)
        #expect(try files(bench, label) == before)
        let labels = try bench.labels()
        #expect(labels.count == 2 && labels.first == label)

        try cluster.archiveCurrentSegment()
        try cluster.stop()
        try run(["rm", "-rf", bench.data])
        let restored = try bench.restore("data", "--set=\(label)", "--type=immediate", "--target-action=promote")
        try restored.start(["archive_mode=off"])
        try restored.waitForPromotion()
        #expect(try restored.fingerprint() == rows)
    }

    /// Without both it can no longer be listed, but its files may be all that is left: they stay.
    @Test func bothFiles() throws {
        let bench = try Workbench()
        _ = try bench.clusterWithBackup()
        let label = try #require(try bench.labels().first)
        let before = try files(bench, label)
        try run(["sh", "-c", "rm \"$0\"/backup.manifest \"$0\"/backup.manifest.copy", "\(bench.repository)/backup/demo/\(label)"])
        for _ in 0..<2 {
            let outcome = try bench.run("--type=full", "backup")
            #expect(try files(bench, label) == before, "\(outcome)")
            #expect(try !bench.labels().contains(label))
        }
        #expect(try bench.labels().count == 2)
    }

    /// A copy that is damaged, or that of a backup that was never completed, makes no manifest; nothing is removed either.
    @Test(arguments: ["printf damage >>", "sed -i s/backup-timestamp-stop/backup-timestamp-stup/"])
    func copyIsNoHelp(_ damage: String) throws {
        let bench = try Workbench()
        _ = try bench.clusterWithBackup()
        let label = try #require(try bench.labels().first)
        let before = try files(bench, label)
        let folder = "\(bench.repository)/backup/demo/\(label)"
        try run(["sh", "-c", "rm \"$0\"/backup.manifest && \(damage) \"$0\"/backup.manifest.copy", folder])
        let outcome = try bench.run("--type=full", "backup")
        #expect(outcome.text.contains(label), "\(outcome)")
        #expect(try files(bench, label) == before)
        #expect(try attempt(["test", "-e", "\(folder)/backup.manifest"]).status == 1)
        #expect(try bench.labels().count == 1)
    }
}
