// plugins.conf: read before the command line, because it says which options there are.

import BackstopCodecs
import BackstopCore
import BackstopDrivers

struct Plugins: Sendable {
    /// What this build has.
    private let built: Registry
    /// nil: there is none, and all that is built in exists.
    private let file: PluginsFile?
    let path: String
    /// Why the file cannot be used: to be told unless the command needs no drivers, as help does.
    let problem: BackupError?

    /// Storage drivers that describe their options themselves.
    var programs: [String] {
        let described = built.storages.values.filter { $0.describe != nil }.map(\.name)
        guard let file else { return described }
        return file.entries(.storage).filter { $0.origin != .builtin || described.contains($0.name) }.map(\.name)
    }
    /// Codecs that are programs.
    var filters: [String] { file?.filters ?? [] }

    private static let option = "--plugins"

    init(_ arguments: [String], _ environment: [String: String], _ built: Registry) {
        self.built = built
        let named = Self.path(arguments) ?? environment["PGBACKSTOP_PLUGINS"]
        path = named ?? SourceOptions.usualPlugins
        var file: PluginsFile?
        var problem: BackupError?
        do throws(BackupError) {
            if let bytes = try readFile(path) {
                file = try PluginsFile(text: String(decoding: bytes, as: UTF8.self), path: path)
            } else if let named {
                throw BackupError(
                    .fileMissing, "plugins file '\(named)' does not exist", hint: "give another one with --plugins, or none at all.")
            }
        } catch {
            problem = error
        }
        self.file = file
        self.problem = problem
    }

    private static func path(_ arguments: [String]) -> String? {
        for (index, argument) in arguments.enumerated() {
            if argument.hasPrefix(option + "=") { return String(argument.dropFirst(option.count + 1)) }
            if argument == option, index + 1 < arguments.count { return arguments[index + 1] }
        }
        return nil
    }

    /// `given`: the file that the configuration names, when all of it is known.
    func registry(_ given: String?) throws(BackupError) -> Registry {
        // It was looked for before the command line was understood. An allow-list that is named and not read would allow too much.
        guard given == nil || given == path else {
            throw BackupError(
                .optionInvalid, "plugins file '\(given ?? "")' was not read", hint: "write out --plugins=PATH, or set PGBACKSTOP_PLUGINS.")
        }
        guard let file else { return built }
        return try built.restricted(to: file, program: programDriver, filter: filterCodec)
    }
}
