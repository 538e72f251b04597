import EndToEndSupport
import Foundation
import Testing

/// A backup that is listed but whose manifest is lost: what can be made again is, and nothing is removed that somebody may still need.
@Suite(.servers)
struct LostManifestTests {
    /// All but the manifest.
    private func files(_ bench: Workbench, _ label: String) throws -> [String: String] {
        try bench.files.list("backup/demo/\(label)").filter { !$0.key.contains("backup.manifest") }
    }

    /// The main file is made again from its copy by the next backup.
    @Test(
        arguments: RepositoryCase.table(.lostManifest, [Format(.zst), Format(.gz, .aes)], elsewhere: [Format(.zst, .aes), Format(.zst)]))
    func mainFile(_ example: RepositoryCase) throws {
        let bench = try Workbench(example)
        let cluster = try bench.clusterWithBackup()
        let rows = try cluster.fingerprint()
        let label = try #require(try bench.labels().first)
        let before = try files(bench, label)
        let manifest = "backup/demo/\(label)/backup.manifest"
        try bench.files.remove(manifest)
        let outcome = try bench.run("--type=full", "backup")
        #expect(outcome.text.contains("'\(label)'"), "\(outcome)")
        #expect(!outcome.text.contains("removed from backup.info"), "\(outcome)")
        #expect(try bench.files.read(manifest) == bench.files.read("\(manifest).copy"))
        #expect(try files(bench, label) == before)
        let labels = try bench.labels()
        #expect(labels.count == 2 && labels.first == label)

        try cluster.archiveCurrentSegment()
        try cluster.stop()
        try bench.expect(rows, inBackup: label)
    }

    /// Without both it can no longer be listed, but its files may be all that is left: they stay.
    @Test(arguments: Feature.lostManifests.kinds)
    func bothFiles(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        _ = try bench.clusterWithBackup()
        let label = try #require(try bench.labels().first)
        let before = try files(bench, label)
        for suffix in ["", ".copy"] { try bench.files.remove("backup/demo/\(label)/backup.manifest\(suffix)") }
        for _ in 0..<2 {
            let outcome = try bench.run("--type=full", "backup")
            #expect(try files(bench, label) == before, "\(outcome)")
            #expect(try !bench.labels().contains(label))
        }
        #expect(try bench.labels().count == 2)
    }

    /// A copy that is damaged, or that of a backup that was never completed, makes no manifest; nothing is removed either.
    @Test(arguments: [("", "damage"), ("backup-timestamp-stop", "backup-timestamp-stup")], [RepositoryKind.posix, .s3TLS])
    func copyIsNoHelp(_ damage: (old: String, new: String), _ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        _ = try bench.clusterWithBackup()
        let label = try #require(try bench.labels().first)
        let before = try files(bench, label)
        let manifest = "backup/demo/\(label)/backup.manifest"
        try bench.files.remove(manifest)
        if damage.old.isEmpty {
            try bench.files.change("\(manifest).copy") { $0 += Data(damage.new.utf8) }
        } else {
            try bench.files.replace(damage.old, with: damage.new, in: "\(manifest).copy")
        }
        let outcome = try bench.run("--type=full", "backup")
        #expect(outcome.text.contains(label), "\(outcome)")
        #expect(try files(bench, label) == before)
        #expect(try !bench.files.contains(manifest))
        #expect(try bench.labels().count == 1)
    }
}
