// The page about one option of a command.

import BackstopCore

extension Help {
    static func option(_ written: String, _ configuration: Configuration, _ table: OptionTable) throws(BackupError) -> String {
        let command = configuration.subject
        let option = try table.knownOption(written, of: command.name)
        var text = title("\(command.name), option \(option.pattern)")
        text += HelpText.wrap(HelpText.sentence(option.summary)) + "\n" + HelpText.wrap(option.details) + "\n"
        if !option.isSupported(by: command.name) { text += "This version does not support it yet.\n\n" }
        for (name, value) in facts(option, configuration, table) {
            text += HelpText.row(name, value, column: 16)
        }
        return text
    }

    private static func facts(_ option: OptionSpec, _ configuration: Configuration, _ table: OptionTable) -> [(String, String)] {
        let command = configuration.subject.name
        var facts = [("type", kindText(option, command))]
        if !option.rangeByDependency.isEmpty, let other = option.dependency?.option {
            let ranges = option.rangeByDependency.sorted { $0.key < $1.key }.map { "\($0.key): \(rangeText(option.kind, $0.value))" }
            facts.append(("range", "by \(shown(other, table)): " + ranges.joined(separator: ", ")))
        }
        if option.defaultByDependency.isEmpty {
            facts.append(("default", defaultText(option, configuration) ?? "none"))
        } else {
            let defaults = option.defaultByDependency.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
            facts.append(("default", "by \(shown(option.dependency?.option ?? "", table)): " + defaults.joined(separator: ", ")))
        }
        if let current = currentText(option, configuration) { facts.append(("current", current)) }
        if let dependency = option.dependency(for: command) {
            let name = shown(dependency.option, table)
            facts.append(("only with", dependency.values.isEmpty ? name : "\(name)=" + dependency.values.joined(separator: ", ")))
        }
        if option.requiredBy.contains(command) { facts.append(("required", "yes")) }
        if !option.unsupportedValues.isEmpty {
            facts.append(("not yet", option.unsupportedValues.sorted().joined(separator: ", ")))
        }
        if option.isSecret {
            facts.append(("secret", "not allowed on the command line"))
        } else {
            facts.append(("command line", commandLineForm(option, command)))
        }
        facts.append(("environment", "PGBACKSTOP_" + String(option.fullName(1).uppercased().map { $0 == "-" ? "_" : $0 })))
        switch option.place {
        case .commandLine: break
        case .global: facts.append(("file", "[global] or [STANZA]: \(option.fullName(1))=\(example(option, command))"))
        case .stanza: facts.append(("file", "[STANZA]: \(option.fullName(1))=\(example(option, command))"))
        }
        if !option.oldNames.isEmpty { facts.append(("old names", option.oldNames.joined(separator: ", "))) }
        return facts
    }

    private static func shown(_ name: String, _ table: OptionTable) -> String { table.option(name)?.pattern ?? name }

    private static func kindText(_ option: OptionSpec, _ command: String) -> String {
        switch option.kind {
        case .string: "text"
        case .path: "path, beginning with /"
        case .boolean: "y or n"
        case .integer(let range): "whole number, \(rangeText(option.kind, range))"
        case .size(let range, let allowed):
            allowed.isEmpty
                ? "size in B, KiB, MiB, GiB, TiB or PiB, \(rangeText(option.kind, range))"
                : "one of " + allowed.map(exactSize).joined(separator: ", ")
        case .time(let range): "time in ms, s, m, h, d or w, seconds without a unit, \(rangeText(option.kind, range))"
        case .choice: "one of " + option.choices(for: command).joined(separator: ", ")
        case .list: "text, may be repeated; in the environment separated by :"
        case .map: "KEY=VALUE, may be repeated; in the environment separated by :"
        }
    }

    private static func rangeText(_ kind: OptionSpec.Kind, _ range: ClosedRange<Int64>) -> String {
        let show: (Int64) -> String =
            switch kind {
            case .size: exactSize
            case .time: timeText
            default: { "\($0)" }
            }
        return "\(show(range.lowerBound)) to \(show(range.upperBound))"
    }

    private static func commandLineForm(_ option: OptionSpec, _ command: String) -> String {
        let name = option.fullName(1)
        if option.isBoolean { return option.canBeNegated ? "--\(name) or --no-\(name)" : "--\(name)" }
        return "--\(name)=\(example(option, command))" + (option.canBeNegated ? " or --no-\(name)" : "")
    }

    private static func example(_ option: OptionSpec, _ command: String) -> String {
        if let text = option.defaultByCommand[command] ?? option.defaultValue { return text }
        switch option.kind {
        case .choice: return option.choices(for: command).first ?? "WORD"
        case .integer: return "N"
        case .size: return "1GiB"
        case .time: return "30s"
        case .boolean: return "y"
        case .path: return "/PATH"
        case .map: return "KEY=VALUE"
        case .string, .list: return "TEXT"
        }
    }
}

extension OptionTable {
    /// The option of `command` with this name: with any index, with `N`, without one, or an old name.
    func knownOption(_ written: String, of command: String) throws(BackupError) -> OptionSpec {
        let name = written.hasPrefix("--") ? String(written.dropFirst(2)) : written
        var found = options.first { $0.name == name || $0.pattern == name }
        if found == nil { found = try self.option(named: name) }
        guard let found else {
            let nearest = nearestOption(to: name, of: command)
            throw BackupError(
                .optionInvalid, "unknown option '\(written)'",
                hint: nearest.map { "did you mean '\($0)'?" } ?? "'help \(command)' lists what there is.")
        }
        guard found.commands.contains(command) else {
            throw BackupError(
                .optionInvalid, "option '\(found.pattern)' is not valid for command '\(command)'", hint: "'help \(command)' lists what is.")
        }
        return found
    }
}
