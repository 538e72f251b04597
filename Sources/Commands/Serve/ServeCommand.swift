// serve: this host's storage, or its cluster, for another host, on standard input and output (docs/driver-protocol.md).

import BackstopCore
import Glibc

enum ServeCommand {
    static func run(_ context: RunContext) async throws(BackupError) {
        let options = context.options
        let channel = Channel(
            input: STDIN_FILENO, output: STDOUT_FILENO, peer: "the client",
            patience: Channel.Patience(
                answer: options.duration("protocol-timeout") ?? .seconds(1830), transfer: options.duration("io-timeout") ?? .seconds(60)))
        // Held as long as the conversation.
        var lock: CommandLock?
        var server = StorageServer(channel, DriverDescription(name: Program.name, capabilities: .putIfAbsent)) {
            (configuration) throws(BackupError) in
            let served =
                options.number("pg") == nil
                ? try await repository(configuration, context)
                : try cluster(configuration["cluster"] ?? .null, context) { () throws(BackupError) in
                    // Nothing comes before it has its answer, so what can be read is the end.
                    if !channel.isQuiet { throw BackupError(.cancelled, "the client has gone") }
                }
            if let wanted = configuration["lock"], wanted != .null { lock = try take(wanted, context) }
            return served
        }
        try await server.run()
        withExtendedLifetime(lock) {}
    }

    /// The repository that `--repo` names in this host's configuration, or the folder that the command line or else the client names.
    private static func repository(_ configuration: JSON, _ context: RunContext) async throws(BackupError) -> ServedStorage {
        let stanza = context.options.string("stanza")
        let guarded = GuardedStorage.guarding(
            try await storage(configuration, context), stanza: stanza, access: context.options.string("access") ?? "all"
        ) { () throws(BackupError) in try StopFile.check(stanza, context) }
        guard let index = context.options.number("repo").map(Int.init) else { return ServedStorage(guarded) }
        return ServedStorage(guarded, encryption: try Encryption(context.options, index))
    }

    private static func storage(_ configuration: JSON, _ context: RunContext) async throws(BackupError) -> any Storage {
        let confined = context.driverContext(isConfined: true)
        if let index = context.options.number("repo").map(Int.init) {
            _ = try Repository.selectedIndexes(context)
            return try await Repository.openStorage(index, context, confined)
        }
        var options = context.options
        let name = Options.Name("repo-path", 1)
        if let wanted = configuration["path"]?.string {
            let path = try self.path(wanted)
            if options.source("repo-path", 1) != .commandLine {
                options.values[name] = Options.Resolved(path, .commandLine)
            } else if options.value("repo-path", 1) != path {
                throw BackupError(
                    .denied, "the folder '\(wanted)' is not served here",
                    hint: "give the repository the path that 'serve' has on its host with --repo1-path.")
            }
        } else if options.source("repo-path", 1) != .commandLine {
            throw BackupError(.invalid, "the client names no path, nor does the command line")
        }
        return try await context.registry.storage("posix").open(options, 1, confined)
    }

    /// The cluster that `--pg` names: what the command line says of it holds, then what the client says, then this host's configuration.
    private static func cluster(
        _ client: JSON, _ context: RunContext, checkClient: @escaping () throws(BackupError) -> Void
    ) throws(BackupError) -> ServedStorage {
        let stanza = try context.stanza()
        try StopFile.check(stanza, context)
        let index = Int(context.options.number("pg") ?? 1)
        var context = context
        for (option, member) in ClusterAddress.members {
            guard let given = client[member], given != .null, context.options.source(option, index) != .commandLine else { continue }
            guard let value = try ClusterAddress.value(given, of: option) else {
                throw BackupError(.invalid, "the client gives '\(given.text)' for \(option)")
            }
            context.options.values[Options.Name(option, index)] = Options.Resolved(value, .commandLine)
        }
        let path = try context.options.required("pg-path", index)
        if let wanted = client["path"]?.string, try self.path(wanted) != .text(path) {
            throw BackupError(
                .denied, "the cluster in '\(wanted)' is not served here",
                hint: "give it the path that 'serve' has on its host with --pg\(index)-path."
            )
        }
        return ServedStorage(ReadOnlyCluster(context.openTree(""), path: path), ClusterService(context, index, checkClient: checkClient))
    }

    private static func path(_ text: String) throws(BackupError) -> OptionValue {
        try OptionSpec("path", .path, .global, commands: [], summary: "").parse(text, shown: "path")
    }

    /// What a command on another host has locked there is locked here too.
    private static func take(_ wanted: JSON, _ context: RunContext) throws(BackupError) -> CommandLock {
        let stanza = try context.stanza()
        guard context.options.string("access") != "read" || context.options.number("pg") != nil else {
            throw BackupError(.denied, "not allowed here: to lock", hint: "'serve' was started with restrictions on its host.")
        }
        guard let locks = HostLocks(wire: wanted) else {
            throw BackupError(.invalid, "the client asks for locks that cannot be: \(wanted.text)")
        }
        let kinds = locks.kinds.compactMap { CommandLock.Kind(rawValue: $0) }
        guard kinds.count == locks.kinds.count else { throw BackupError(.invalid, "there is no lock of kind \(locks.kinds)") }
        try StopFile.check(stanza, context)
        do throws(BackupError) {
            return try CommandLock(kinds, stanza: stanza, repositories: locks.repositories, run: locks.run, context)
        } catch {
            throw error.during("on host '\(hostName())'")
        }
    }

    private static func hostName() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            gethostname(buffer.baseAddress!, 255) == 0 ? String(cString: buffer.baseAddress!) : "?"
        }
    }
}
