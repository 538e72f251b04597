// A folder with a repository, a configuration and as many clusters as a test wants: what nearly every end-to-end test stands on.

import Foundation

public final class Workbench: Sendable {
    public let folder: TemporaryFolder
    public let tool: Tool
    public let format: Format
    /// That of the cluster's host.
    public let configuration: String
    private let places: [RepositoryKind.Place]
    private let extra: [(String, String)]
    /// The data folder of the cluster that the stanza belongs to.
    public var data: String { folder.path("data") }
    /// The files of the repository, whatever its kind.
    public var files: any RepositoryFiles { places[0].files }
    /// Those of the second one.
    public var secondFiles: any RepositoryFiles { places[1].files }
    /// The repository's folder, for tests of what only a folder has: modes, links, what is synced. They run on a posix repository.
    public var repository: String { folder.path("repository") }

    /// `options` go to the [global] section of the configuration, as they are. A second repository has the format of the first.
    public convenience init(
        _ format: Format = Format(.zst), on kind: RepositoryKind = .posix, and second: RepositoryKind? = nil, by tool: Tool = .underTest,
        options: KeyValuePairs<String, String> = [:], onDisk: Bool = false
    ) throws {
        let folder = try TemporaryFolder(onDisk: onDisk)
        let places = try [kind.place(folder, "repository")] + (second.map { [try $0.place(folder, "repository2")] } ?? [])
        try self.init(folder, tool, places, format, options.map { ($0.key, $0.value) })
    }

    public convenience init(_ example: RepositoryCase, options: KeyValuePairs<String, String> = [:]) throws {
        try self.init(example.format, on: example.kind, options: options)
    }

    /// Another place, with a configuration and a data folder of its own, that uses the same repository.
    public convenience init(sharing other: Workbench, by tool: Tool? = nil) throws {
        try self.init(TemporaryFolder(), tool ?? other.tool, other.places, other.format, other.extra)
    }

    private init(
        _ folder: TemporaryFolder, _ tool: Tool, _ places: [RepositoryKind.Place], _ format: Format, _ extra: [(String, String)]
    ) throws {
        (self.folder, self.tool, self.places, self.format, self.extra) = (folder, tool, places, format, extra)
        configuration = folder.path(Self.clusterHostFile)
        for name in ["log", "lock", "spool"] { try folder.makeDirectory(name) }
        try configure()
    }

    static let clusterHostFile = "backup.conf"
    /// The configuration of the host of a repository that pulls.
    static let repositoryHostFile = "repository-host.conf"

    /// What that host runs; the rest is run beside the cluster.
    private static let commandsThere: Set = ["backup", "check", "expire", "info", "stanza-create", "stop", "start", "verify"]

    /// Writes the configuration anew, with more options or a different format (a wrong passphrase, say).
    public func configure(_ options: KeyValuePairs<String, String> = [:], format: Format? = nil, stanza: [String] = []) throws {
        try configure(options.map { ($0.key, $0.value) }, format: format, stanza: stanza)
    }

    public func configure(_ options: [(String, String)], format: Format? = nil, stanza: [String] = []) throws {
        let global: [(String, String)] = [
            ("log-path", folder.path("log")), ("lock-path", folder.path("lock")), ("spool-path", folder.path("spool")),
            ("start-fast", "y"), ("archive-timeout", "50"), ("repo1-retention-full", "99"), ("process-max", "2"),
        ]
        let formats = places.indices.map { (format ?? self.format).options($0 + 1) }
        let storage = places.enumerated().map { $0.element.options(of: $0.offset + 1) }
        let section = ["pg1-path=\(data)", "pg1-socket-path=\(folder.path("s-data"))", "pg1-user=postgres"]
        try write(Self.clusterHostFile, [global] + storage + formats + [extra, options], [section, stanza])
        guard let there = places[0].repositoryHost else { return }
        let locks = [("lock-path", try folder.makeDirectory("far-lock"))]
        try write(
            Self.repositoryHostFile, [global, locks, there.global] + storage.dropFirst() + formats + [extra, options],
            [section, there.stanza, stanza])
    }

    /// What comes later replaces what came before; within one of the layers a list has several lines.
    private func write(_ name: String, _ global: [[(String, String)]], _ stanza: [[String]]) throws {
        func merged(_ layers: [[(String, String)]]) -> String {
            var lines: [(String, String)] = []
            for layer in layers {
                lines.removeAll { old in layer.contains { $0.0 == old.0 } }
                lines += layer
            }
            return lines.map { "\($0.0)=\($0.1)\n" }.joined()
        }
        let section = stanza.map { $0.map { line in (String(line.prefix { $0 != "=" }), String(line.drop { $0 != "=" }.dropFirst())) } }
        let file = try folder.write(name, "[global]\n" + merged(global) + "\n[demo]\n" + merged(section))
        // It may hold secrets.
        chmod(file, 0o640)
    }

    /// The command line of the program; the command is the first argument, options may follow.
    public func command(_ arguments: [String], tool: Tool? = nil, stanza: String? = "demo") -> [String] {
        let isThere = places[0].repositoryHost != nil && arguments.contains { Self.commandsThere.contains($0) }
        let configuration = isThere ? folder.path(Self.repositoryHostFile) : configuration
        return [(tool ?? self.tool).path, "--config=\(configuration)"] + Set(places.flatMap(\.arguments)).sorted()
            + (stanza.map { ["--stanza=\($0)"] } ?? []) + arguments
    }

    /// Runs the program, whatever its status.
    public func attempt(_ arguments: String..., tool: Tool? = nil, stanza: String? = "demo", in directory: String? = nil) throws -> Outcome
    {
        try attempt(arguments, tool: tool, stanza: stanza, in: directory)
    }

    public func attempt(_ arguments: [String], tool: Tool? = nil, stanza: String? = "demo", in directory: String? = nil) throws -> Outcome {
        try EndToEndSupport.attempt(command(arguments, tool: tool, stanza: stanza), in: directory ?? folder.path)
    }

    /// Runs the program, which must succeed.
    @discardableResult
    public func run(_ arguments: String..., tool: Tool? = nil, in directory: String? = nil) throws -> Outcome {
        try run(arguments, tool: tool, in: directory)
    }

    @discardableResult
    public func run(_ arguments: [String], tool: Tool? = nil, in directory: String? = nil) throws -> Outcome {
        let outcome = try EndToEndSupport.attempt(command(arguments, tool: tool), in: directory ?? folder.path)
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
        return outcome
    }

    /// Starts the program without waiting for it.
    public func launch(_ arguments: String..., tool: Tool? = nil) throws -> Running {
        try Running(command(arguments, tool: tool), in: folder.path)
    }

    /// What archive_command must be for this repository.
    public func archiveCommand(tool: Tool? = nil) -> String {
        "'\(command(["archive-push", "%p"], tool: tool).joined(separator: " "))'"
    }

    /// The cluster of the stanza: made, archiving into the repository, started.
    public func cluster(_ version: Int = 15, name: String = "data", fresh: Bool = false) throws -> Cluster {
        let cluster = try Cluster.make(.version(version), in: folder, name: name, fresh: fresh)
        try cluster.configure(["archive_mode": "on", "archive_command": archiveCommand()])
        try cluster.start()
        return cluster
    }

    /// Makes the stanza, a table with rows and a full backup: what a test needs that begins with a backup. Returns the cluster.
    public func clusterWithBackup(_ version: Int = 15) throws -> Cluster {
        let cluster = try cluster(version)
        try run("stanza-create")
        try cluster.query(
            "CREATE TABLE item (id int PRIMARY KEY, text text); INSERT INTO item SELECT n, 'row ' || n FROM generate_series(1, 1000) n")
        try run("--type=full", "backup")
        return cluster
    }

    /// Restores into a new data folder and returns the cluster, not started. Another name than that of the stanza's cluster goes to
    /// the command line.
    public func restore(_ name: String = "data", _ options: String..., version: Int = 15, tool: Tool? = nil) throws -> Cluster {
        let cluster = try Cluster(.version(version), in: folder, name: name)
        try folder.makeDirectory(name)
        try run((name == "data" ? [] : ["--pg1-path=\(cluster.data)"]) + options + ["restore"], tool: tool)
        return cluster
    }

    /// Destroys the cluster and brings it back: all of its rows must be there again. Returns the restored cluster, which runs.
    @discardableResult
    public func bringBack(_ cluster: Cluster) throws -> Cluster {
        let rows = try cluster.fingerprint()
        try cluster.archiveCurrentSegment()
        try cluster.stop("immediate")
        try EndToEndSupport.run(["rm", "-rf", cluster.data])
        let restored = try restore()
        try restored.start()
        try restored.waitForPromotion()
        let found = try restored.fingerprint()
        guard found == rows else { throw Failure("the restored cluster has other rows:\n\(found)\nexpected:\n\(rows)") }
        return restored
    }

    /// Restores a backup, the latest without a label, in place of the stopped cluster, and starts it without archiving: it must have these rows.
    /// `over`: what is there stays as far as it is right. Returns the cluster, which runs.
    @discardableResult
    public func expect(_ rows: String, inBackup label: String? = nil, over: Bool = false, tool: Tool? = nil) throws -> Cluster {
        let set = label.map { ["--set=\($0)"] } ?? []
        let cluster = try Cluster(.version(15), in: folder, name: "data")
        if !over {
            try EndToEndSupport.run(["rm", "-rf", data])
            try folder.makeDirectory("data")
        }
        try run(set + (over ? ["--delta"] : []) + ["--type=immediate", "--target-action=promote", "restore"], tool: tool)
        try cluster.start(["archive_mode=off"])
        try cluster.waitForPromotion()
        let found = try cluster.fingerprint()
        guard found == rows else { throw Failure("backup \(label ?? "latest") has other rows:\n\(found)\nexpected:\n\(rows)") }
        return cluster
    }

    /// What `info --output=json` says of the stanza.
    public func info(_ options: String..., tool: Tool? = nil) throws -> StanzaInfo {
        let outcome = try EndToEndSupport.attempt(command(options + ["--output=json", "info"], tool: tool), in: folder.path)
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
        let stanzas = try JSONDecoder().decode([StanzaInfo].self, from: Data(outcome.output.utf8))
        guard let first = stanzas.first, stanzas.count == 1 else { throw Failure("info knows \(stanzas.count) stanzas\n\(outcome)") }
        return first
    }

    /// The labels of all backups, oldest first.
    public func labels() throws -> [String] { try info().backup.map(\.label) }
}

/// The part of `info --output=json` that tests look at.
public struct StanzaInfo: Decodable, Sendable {
    public struct Backup: Decodable, Sendable {
        public let label: String
        public let type: String
        public let error: Bool?
        public let reference: [String]?
    }
    public struct Archive: Decodable, Sendable {
        public let id: String
        public let min: String?
        public let max: String?
    }
    public struct Status: Decodable, Sendable {
        public struct Lock: Decodable, Sendable {
            public struct State: Decodable, Sendable {
                public let held: Bool
                public let size: Int?
                public let sizeComplete: Int?
                enum CodingKeys: String, CodingKey { case held, size, sizeComplete = "size-cplt" }
            }
            public let backup: State
        }
        public let code: Int
        public let message: String
        public let lock: Lock?
    }
    public let name: String
    public let cipher: String
    public let status: Status
    public let backup: [Backup]
    public let archive: [Archive]
}
