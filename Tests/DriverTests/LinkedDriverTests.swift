import EndToEndSupport
import Foundation
import Testing

/// A pgbackstop that somebody built with a driver of their own: Examples/swift-driver.
@Suite(.servers) struct LinkedDriverTests {
    @Test func roundTrip() throws {
        let tool = try Tool(copying: try Drivers.swiftExample.get() + "/pgbackstop-with-sqlite")
        let kind = RepositoryKind(description: "a driver that is linked in", peerReads: false) { folder, name in
            let path = try folder.makeDirectory(name)
            return RepositoryKind.Place(
                options: [("repo1-type", "sqlite"), ("repo1-path", "/kept"), ("repo1-sqlite-file", "\(path)/store.db")],
                files: NoFiles())
        }
        let bench = try Workbench(Format(.lz4), on: kind, by: tool)
        #expect(
            try bench.attempt("driver", "options", "sqlite", stanza: nil).output == "repoN-sqlite-file  the SQLite file (path, required)\n")
        // In one process several calls are under way at a time, which a driver in a process of its own never sees.
        let report = try EndToEndSupport.attempt(bench.command(["driver", "check", "sqlite"], stanza: nil), within: 300)
        #expect(report.status == 0 && report.output.contains("keeps the contract"), "\(report)")
        let cluster = try bench.clusterWithBackup()
        try bench.bringBack(cluster)
        // Ours does not know it, and says so.
        let other = try bench.attempt("info", tool: .underTest)
        #expect(other.status == 32 && other.text.contains("driver 'sqlite' (repo1-type) is not in "), "\(other)")
    }

    /// Nobody looks into the file.
    private struct NoFiles: RepositoryFiles {
        func list(_ folder: String) throws -> [String: String] { throw Failure("no list") }
        func unfinished(_ folder: String) throws -> [String] { throw Failure("no list") }
        func read(_ name: String) throws -> Data { throw Failure("no read") }
        func write(_ name: String, _ content: Data) throws { throw Failure("no write") }
        func remove(_ name: String) throws { throw Failure("no remove") }
    }
}
