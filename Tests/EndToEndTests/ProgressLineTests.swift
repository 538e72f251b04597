import EndToEndSupport
import Testing

/// The live line goes to standard error, and only where it is wanted: here that is no terminal.
@Suite(.servers)
struct ProgressLineTests {
    @Test func asAskedFor() throws {
        let bench = try Workbench(Format(.lz4))
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        let backup = try bench.run("--type=full", "--progress=always", "backup")
        #expect(backup.errors.contains("\r"), "\(backup)")
        #expect(backup.errors.contains("% ") && backup.errors.contains("/s") && backup.errors.contains(" left"), "\(backup)")
        #expect(!backup.output.contains("\r"))
        let label = try #require(try bench.labels().last)
        let end = try #require(backup.errors.split(separator: "\r").last)
        #expect(end.contains("\u{1B}[Kfull backup \(label): ") && end.contains(" stored, ") && end.hasSuffix(" s\n"), "\(backup)")
        let told = try bench.run("--type=full", "--progress=always", "--log-level-console=info", "backup")
        #expect(told.output.contains("backup command end") && !told.errors.contains(" stored, "), "\(told)")
        for choice in ["auto", "never"] {
            #expect(try !bench.run("--type=full", "--progress=\(choice)", "backup").errors.contains("\r"))
        }
        try cluster.stop()
        try run(["rm", "-rf", cluster.data])
        let restore = try bench.run("--progress=always", "--type=none", "restore")
        #expect(restore.errors.contains("restore ") && restore.errors.contains("% "), "\(restore)")
        #expect(restore.errors.contains(" restored to \(cluster.data): ") && restore.errors.hasSuffix(" s\n"), "\(restore)")
    }
}
