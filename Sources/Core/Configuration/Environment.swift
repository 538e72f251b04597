// Options from the environment (cli.md section 1.7): ours begin with PGBACKSTOP_, those of pgBackRest are the fallback, and the other way
// round under its name.

internal import CSystem
import Glibc

/// The variables of this process that may set options.
public func configurationEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = backstop_environment()
    while let text = entry?.pointee {
        // Most of the environment has nothing to do with us; comparing seven bytes is cheaper than making strings of all of it.
        if strncmp(text, "PGBACKS", 7) == 0 || strncmp(text, "PGBACKR", 7) == 0 {
            let variable = FileName.text(UnsafeRawBufferPointer(start: text, count: strlen(text)))
            if let equals = variable.firstIndex(of: "=") {
                variables[String(variable[..<equals])] = String(variable[variable.index(after: equals)...])
            }
        }
        entry = entry?.advanced(by: 1)
    }
    return variables
}

/// The options that the environment sets for one command.
struct EnvironmentOptions {
    struct Entry {
        var texts: [String]
        var variable: String
    }

    private(set) var entries: [Options.Name: Entry] = [:]
    private(set) var warnings: [String] = []
    private(set) var notes: [String] = []

    static let ours = "PGBACKSTOP_"
    static let peers = "PGBACKREST_"

    /// Kubernetes sets variables about each service into each container, `PGBACKREST_PORT=tcp://…` for one that is called pgbackrest. They
    /// are no options, even where their names look so.
    static func isOfKubernetes(_ written: String, _ text: String) -> Bool {
        let isAddress = ["tcp://", "udp://", "sctp://"].contains { text.hasPrefix($0) }
        return isAddress || written.hasSuffix("service-host") || written.contains("service-port")
            || written.contains("-port-")
                && ["-tcp", "-udp", "-sctp"].contains { written.contains($0) }
            || written.hasPrefix("port-")
    }

    init(_ environment: [String: String], _ table: OptionTable, command: String, _ dialect: Dialect = .own) throws(BackupError) {
        var fallback: [String] = []
        let prefixes = dialect == .own ? [Self.ours, Self.peers] : [Self.peers, Self.ours]
        for prefix in prefixes {
            let own = entries
            for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix(prefix) {
                let written = variable.dropFirst(prefix.count).lowercased().split(
                    separator: "_", omittingEmptySubsequences: false
                ).joined(separator: "-")
                if Self.isOfKubernetes(written, text) { continue }
                let match: OptionTable.Match?
                do throws(BackupError) { match = try table.match(written) } catch {
                    throw error.during("environment variable \(variable)")
                }
                guard let match, match.form == .plain else {
                    let hint = table.nearestHint(to: written).map { "\nHINT: \($0)" } ?? ""
                    warnings.append("environment variable \(variable) names no option\(hint)")
                    continue
                }
                guard match.option.commands.contains(command), own[match.name] == nil else { continue }
                guard !text.isEmpty else { throw BackupError(.optionInvalidValue, "environment variable \(variable) is empty") }
                if let other = entries[match.name] {
                    throw BackupError(
                        .optionInvalid, "environment variables \(other.variable) and \(variable) set the same option '\(match.shown)'")
                }
                let texts = match.option.isRepeatable ? text.split(separator: ":").map(String.init) : [text]
                entries[match.name] = Entry(texts: texts, variable: variable)
                if prefix == prefixes[1] { fallback.append(variable) }
            }
        }
        if !fallback.isEmpty {
            notes.append("\(fallback.joined(separator: ", ")) used from the environment, because no \(prefixes[0]) variable sets the same")
        }
    }
}
