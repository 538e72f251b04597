// serve: this host's storage, or its cluster, for another host, on standard input and output (docs/driver-protocol.md).

import BackstopCore
import Glibc

enum ServeCommand {
    static func run(_ context: RunContext) async throws(BackupError) {
        let options = context.options
        let channel = Channel(
            input: STDIN_FILENO, output: STDOUT_FILENO, peer: "the client",
            // A client that stores what it gets may be kept waiting by its store, whose patience is its own affair.
            patience: Channel.Patience(
                answer: options[NetworkOptions.protocolTimeout],
                transfer: options[NetworkOptions.protocolTimeout]))
        // Held as long as the conversation.
        var lock: CommandLock?
        var isStarted = false
        var server = StorageServer(channel, DriverDescription(name: Program.name, capabilities: .putIfAbsent)) {
            (configuration) throws(BackupError) in
            // A second one would let go of the locks of the first.
            guard !isStarted else { throw BackupError(.invalid, "this conversation was started already") }
            isStarted = true
            let served =
                options[InspectionOptions.pg] == nil
                ? try await repository(configuration, context)
                : try cluster(configuration["cluster"] ?? .null, context) { () throws(BackupError) in
                    // Nothing comes before it has its answer, so what can be read is the end.
                    if !channel.isQuiet { throw BackupError(.cancelled, "the client has gone") }
                }
            if let wanted = configuration["lock"], wanted != .null {
                lock = try take(wanted, path: configuration["path"]?.string, context)
            }
            return served
        }
        try await server.run()
        withExtendedLifetime(lock) {}
    }

    /// The repository that `--repo` names in this host's configuration, or the folder that the command line or else the client names.
    private static func repository(_ configuration: JSON, _ context: RunContext) async throws(BackupError) -> ServedStorage {
        let stanza = context.options[SourceOptions.stanza]
        let guarded = GuardedStorage.guarding(
            try await storage(configuration, context), stanza: stanza, access: context.options[GeneralOptions.access]
        ) { () throws(BackupError) in try StopFile.check(stanza, context.options, context.log) }
        guard let index = context.options[GeneralOptions.repo] else { return ServedStorage(guarded) }
        return ServedStorage(guarded, encryption: try Encryption(context.options, index))
    }

    private static func storage(_ configuration: JSON, _ context: RunContext) async throws(BackupError) -> any Storage {
        let confined = context.driverContext(isConfined: true)
        if let index = context.options[GeneralOptions.repo] {
            _ = try context.options.chosenRepositories()
            // Two hosts that send each other to and fro would start processes without end.
            guard !context.options.isGiven(RepositoryHostOptions.host, index) else {
                throw BackupError(
                    .hostInvalid, "the configuration of the repository's host says that repo\(index) is on yet another host",
                    hint: "take repo\(index)-host out of it: it belongs into the configuration of the cluster's host.")
            }
            return try await Repository.openStorage(index, context, confined)
        }
        var options = context.options
        let name = Options.Name("repo-path", 1)
        if let wanted = configuration["path"]?.string {
            let path = try self.path(wanted)
            if options.source(PlaceOptions.path, 1) != .commandLine {
                options.values[name] = Options.Resolved(path, .commandLine)
            } else if .text(options[PlaceOptions.path, 1]) != path {
                throw BackupError(
                    .denied, "the folder '\(wanted)' is not served here",
                    hint: "give the repository the path that 'serve' has on its host with --repo1-path.")
            }
        } else if options.source(PlaceOptions.path, 1) != .commandLine {
            throw BackupError(.invalid, "the client names no path, nor does the command line")
        }
        return try await context.registry.storage(PlaceOptions.usualType).open(options, 1, confined)
    }

    /// The cluster that `--pg` names: what this host's user says of it holds; the rest is what the client says.
    private static func cluster(
        _ client: JSON, _ context: RunContext, checkClient: @escaping () throws(BackupError) -> Void
    ) throws(BackupError) -> ServedStorage {
        let index = context.options[InspectionOptions.pg] ?? 1
        var context = context
        for (option, member) in ClusterAddress.members {
            guard let given = client[member], given != .null, context.options.given(option, index) == nil else { continue }
            guard let value = try ClusterAddress.value(given, of: option) else {
                throw BackupError(.invalid, "the client gives '\(given.text)' for \(option.name)")
            }
            context.options.take(value, for: option, index)
        }
        let path = try context.options.required(PostgresOptions.path, index)
        if let wanted = client["path"]?.string, try self.path(wanted) != .text(path) {
            throw BackupError(
                .denied, "the cluster in '\(wanted)' is not served here",
                hint: "its own host says that it is in '\(path)'.")
        }
        for name in ["PG_VERSION", ClusterFiles.controlName] where access("\(path)/\(name)", F_OK) != 0 {
            throw BackupError(
                .fileMissing, "'\(path)' on the host of the cluster is not the data directory of a cluster: there is no \(name)",
                hint: "is pg1-path right?")
        }
        return ServedStorage(ReadOnlyCluster(context.openTree(""), path: path), ClusterService(context, index, checkClient: checkClient))
    }

    private static func path(_ text: String) throws(BackupError) -> OptionValue {
        try OptionSpec("path", .path, .global, commands: [], summary: "").parse(text, shown: "path")
    }

    /// What a command on another host has locked there is locked here too.
    private static func take(_ wanted: JSON, path: String?, _ context: RunContext) throws(BackupError) -> CommandLock {
        let stanza = try context.stanza()
        guard context.options[GeneralOptions.access] != "read" || context.options[InspectionOptions.pg] != nil else {
            throw BackupError(.denied, "not allowed here: to lock", hint: "'serve' was started with restrictions on its host.")
        }
        guard let locks = HostLocks(wire: wanted) else {
            throw BackupError(.invalid, "the client asks for locks that cannot be: \(wanted.text)")
        }
        try StopFile.check(stanza, context.options, context.log)
        do throws(BackupError) {
            return try CommandLock(
                locks.kinds, stanza: stanza, repositories: repositories(locks, path: path, context), for: locks.run, context.options,
                context.log)
        } catch {
            throw error.during("on host '\(hostName())'")
        }
    }

    /// By what numbers this host locks: its own for its repositories, so that all who use them meet; those of the client for a cluster.
    private static func repositories(_ locks: HostLocks, path: String?, _ context: RunContext) -> [Int] {
        let options = context.options
        if options[InspectionOptions.pg] != nil { return locks.repositories }
        if let index = options[GeneralOptions.repo] { return [index] }
        let known = options.indexes(.repo).first { options.isGiven(PlaceOptions.path, $0) && options[PlaceOptions.path, $0] == path }
        return [known ?? 1]
    }
}

extension ServeCommand {
    static let command = Command(
        CommandSpec(
            "serve", "Hosts", "serve a repository or a cluster to another host on standard input and output",
            """
            Started by ssh for a repository on another host (repo1-host) or, with --pg, for a cluster that another host backs up \
            (pg1-host). What its own command line says limits the client: --repo1-path and --pg1-path the folder, --stanza one stanza, \
            --access what may be done. Put that into a forced command of authorized_keys.
            """
        ) {
            $0.stanza = .optional
            $0.runLevel = .debug
        },
        run: run)
}
