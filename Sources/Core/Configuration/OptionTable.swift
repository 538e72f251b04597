// All options and commands of the program, and how a written name finds its option.

/// What the program understands. Built once by the composition root; the checks across options belong to it because they know the names.
public struct OptionTable: Sendable {
    /// Hidden ones too, and those that are not supported yet.
    public let options: [OptionSpec]
    /// Likewise.
    public let commands: [CommandSpec]
    /// Storage drivers that are programs: `repoN-NAME-…` is theirs.
    public let programs: [String]
    /// The file that allows drivers, for messages.
    public let plugins: String
    /// Runs after the resolution: derives values, warns, refuses combinations.
    let checks: @Sendable (inout Configuration) throws(BackupError) -> Void

    /// What a name, with `N` for its index, stands for.
    private struct Target {
        var option: Int
        var isOld: Bool
    }
    private var targets: [String: Target] = [:]
    private var positions: [String: Int] = [:]

    static let highestIndex = 256
    static let longestName = 64

    public init(
        options: [OptionSpec], commands: [CommandSpec], programs: [String] = [], plugins: String = "plugins.conf",
        checks: @escaping @Sendable (inout Configuration) throws(BackupError) -> Void = { _ in }
    ) {
        self.options = options
        self.commands = commands
        self.programs = programs
        self.plugins = plugins
        self.checks = checks
        targets.reserveCapacity(options.count * 2)
        positions.reserveCapacity(options.count)
        for (position, option) in options.enumerated() {
            positions[option.name] = position
            for name in option.oldNames { targets[name] = Target(option: position, isOld: true) }
        }
        for (position, option) in options.enumerated() { targets[option.pattern] = Target(option: position, isOld: false) }
    }

    /// nil: there is none of that name.
    public func command(_ name: String) -> CommandSpec? { commands.first { $0.name == name } }

    /// By its name without index: `repo-path`.
    public func option(_ name: String) -> OptionSpec? { positions[name].map { options[$0] } ?? programOption(name) }

    /// An option of a driver that is a program, which alone knows whether there is such a one.
    private func programOption(_ name: String) -> OptionSpec? {
        guard let program = programs.first(where: { name.hasPrefix("repo-\($0)-") }), let type = positions["repo-type"] else { return nil }
        var option = OptionSpec(
            name, .string, .global, group: .repo, commands: options[type].commands, summary: "for the driver '\(program)'")
        option.dependency = OptionSpec.Dependency("repo-type", [program])
        option.isOfProgram = true
        return option
    }

    /// By a name as users write it: with its index, or an old one.
    public func option(named written: String) throws(BackupError) -> OptionSpec? { try match(written)?.option }

    // MARK: Written names

    enum Form { case plain, negated, reset }

    /// A written name that was understood.
    struct Match {
        var option: OptionSpec
        var index: Int
        var form: Form
        var name: Options.Name { Options.Name(option.name, index) }
        var shown: String { option.fullName(index) }
    }

    /// The option that `written` names, whole, by its new or an old name, maybe after `no-` or `reset-`; nil when there is none.
    /// Throws when the name is known but its index is missing or out of range.
    func match(_ written: String) throws(BackupError) -> Match? {
        for (prefix, form) in [("", Form.plain), ("no-", .negated), ("reset-", .reset)] where written.hasPrefix(prefix) {
            let rest = String(written.dropFirst(prefix.count))
            let (pattern, index) = Self.split(rest)
            if let target = targets[pattern] {
                return try found(options[target.option], index, form, written: rest)
            }
            if pattern.hasPrefix("repoN-"), let option = programOption("repo-" + pattern.dropFirst(6)) {
                return try found(option, index, form, written: rest)
            }
            if index == nil, let option = options.first(where: { $0.group != nil && $0.name == rest }) {
                throw BackupError(
                    .optionInvalid, "option '\(rest)' needs an index", hint: "put the index in, for example \(option.fullName(1)).")
            }
        }
        return nil
    }

    /// Like `match`, and a beginning of a name is enough where only one option begins so.
    func matchPrefix(_ written: String) throws(BackupError) -> Match? {
        if let match = try match(written) { return match }
        for (prefix, form) in [("", Form.plain), ("no-", .negated), ("reset-", .reset)] where written.hasPrefix(prefix) {
            let rest = String(written.dropFirst(prefix.count))
            let (pattern, index) = Self.split(rest)
            if pattern.isEmpty { continue }
            let candidates = options.filter { ($0.group == nil) == (index == nil) && $0.pattern.hasPrefix(pattern) }
            if candidates.count > 1 {
                let names = candidates.lazy.filter { !$0.isHidden }.map { $0.fullName(index ?? 0) }
                throw BackupError(
                    .optionInvalid, "option '--\(written)' is the beginning of several options",
                    hint: "write more of it: \(names.joined(separator: ", ")).")
            }
            // Old names count where no name of today begins so.
            let options = candidates.isEmpty ? Set(targets.filter { $0.value.isOld && $0.key.hasPrefix(pattern) }.map(\.value.option)) : []
            if let option = candidates.first ?? (options.count == 1 ? self.options[options.first!] : nil) {
                return try found(option, index, form, written: rest)
            }
        }
        return nil
    }

    private func found(_ option: OptionSpec, _ index: Int?, _ form: Form, written: String) throws(BackupError) -> Match {
        guard option.group != nil else { return Match(option: option, index: 0, form: form) }
        // Old names without an index mean the first one.
        let index = index ?? 1
        guard (1...Self.highestIndex).contains(index) else {
            throw BackupError(.optionInvalid, "the index of option '\(written)' is not within 1..\(Self.highestIndex)")
        }
        return Match(option: option, index: index, form: form)
    }

    /// `repo12-path` → `repoN-path`, 12. A name without digits between its first letters and a dash stays whole.
    private static func split(_ written: String) -> (pattern: String, index: Int?) {
        let bytes = written.utf8
        guard let first = bytes.firstIndex(where: { !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }), first != bytes.startIndex,
            let end = bytes[first...].firstIndex(where: { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), end != first,
            bytes[end] == UInt8(ascii: "-")
        else { return (written, nil) }
        return (written[..<first] + "N" + written[end...], Int(written[first..<end]) ?? .max)
    }

    /// The nearest known option in the form in which it was written, with its index.
    public func nearestOption(to written: String, of command: String? = nil) -> String? {
        let prefix = ["no-", "reset-"].first { written.hasPrefix($0) } ?? ""
        let (pattern, index) = Self.split(String(written.dropFirst(prefix.count)))
        let known = options.filter { !$0.isHidden && (command.map($0.commands.contains) ?? true) }
        // Without an index the grouped names are compared without it as well.
        let names = known.map { index == nil ? $0.name : $0.pattern }
        guard let name = nearestName(to: pattern, in: names), let place = names.firstIndex(of: name) else { return nil }
        return prefix + known[place].fullName(index ?? 1)
    }

    func nearestHint(to written: String, before: String = "") -> String? {
        nearestOption(to: written).map { "did you mean '\(before)\($0)'?" }
    }
}
