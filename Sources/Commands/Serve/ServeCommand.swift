// serve: this host's storage for another host, on standard input and output (docs/driver-protocol.md).

import BackstopCore
import Glibc

enum ServeCommand {
    static func run(_ context: RunContext) async throws(BackupError) {
        let options = context.options
        let channel = Channel(
            input: STDIN_FILENO, output: STDOUT_FILENO, peer: "the client",
            patience: Channel.Patience(
                answer: options.duration("protocol-timeout") ?? .seconds(1830), transfer: options.duration("io-timeout") ?? .seconds(60)))
        var server = StorageServer(channel, DriverDescription(name: Program.name, capabilities: .putIfAbsent)) {
            (configuration) throws(BackupError) in
            let storage = try await open(configuration, context)
            let stanza = options.string("stanza")
            return GuardedStorage(storage, stanza: stanza, access: options.string("access") ?? "all") { () throws(BackupError) in
                try StopFile.check(stanza, context)
            }
        }
        try await server.run()
    }

    /// The repository that `--repo` names in this host's configuration, or the folder that the command line or else the client names.
    private static func open(_ configuration: JSON, _ context: RunContext) async throws(BackupError) -> any Storage {
        let confined = context.driverContext(isConfined: true)
        if let index = context.options.number("repo").map(Int.init) {
            _ = try Repository.selectedIndexes(context)
            return try await Repository.openStorage(index, context, confined)
        }
        var options = context.options
        let name = Options.Name("repo-path", 1)
        if let wanted = configuration["path"]?.string {
            let path = try OptionSpec("path", .path, .global, commands: [], summary: "").parse(wanted, shown: "path")
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
}
