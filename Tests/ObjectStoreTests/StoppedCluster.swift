// What the commands need of a cluster that no server runs on: a control file and a WAL segment.

import EndToEndSupport
import Foundation

enum StoppedCluster {
    private static let source = Result { () throws -> (folder: TemporaryFolder, segment: String) in
        let folder = try TemporaryFolder()
        let cluster = try Cluster.make(.version(15), in: folder, name: "data")
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(cluster.data)/pg_wal")
        guard let segment = names.filter({ $0.utf8.count == 24 }).min() else { throw Failure("initdb left no WAL") }
        return (folder, segment)
    }

    /// Puts them into the data folder of the workbench. Returns the name of the segment.
    @discardableResult
    static func copy(to bench: Workbench) throws -> String {
        let (folder, segment) = try source.get()
        try run(["mkdir", "-p", "-m", "700", bench.data])
        try run(["cp", "-a", "--parents", "PG_VERSION", "global/pg_control", "pg_wal/\(segment)", bench.data], in: folder.path("data"))
        return segment
    }
}
