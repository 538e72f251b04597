// The words in which the option table is written: short initialisers and what can be said about an option after them.

import BackstopCore

extension OptionSpec {
    /// `repoN-path` and `pgN-path` are written with their `N` and come several times.
    private init(
        _ place: Place, _ written: String, _ kind: Kind, _ defaultValue: String?, _ commands: Set<String>, _ summary: String
    ) {
        let group: Group? = written.hasPrefix("repoN-") ? .repo : written.hasPrefix("pgN-") ? .pg : nil
        let name = group.map { $0.rawValue + written.dropFirst($0.rawValue.utf8.count + 1) } ?? written
        self.init(name, kind, place, group: group, default: defaultValue, commands: commands, summary: summary)
    }

    static func commandLine(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, _ commands: Set<String>, _ summary: String
    ) -> OptionSpec { OptionSpec(.commandLine, name, kind, defaultValue, commands, summary) }

    static func global(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, _ commands: Set<String>, _ summary: String
    ) -> OptionSpec { OptionSpec(.global, name, kind, defaultValue, commands, summary) }

    static func stanza(
        _ name: String, _ kind: Kind, default defaultValue: String? = nil, _ commands: Set<String>, _ summary: String
    ) -> OptionSpec { OptionSpec(.stanza, name, kind, defaultValue, commands, summary) }

    private func with(_ change: (inout OptionSpec) -> Void) -> OptionSpec {
        var option = self
        change(&option)
        return option
    }

    func details(_ text: String) -> OptionSpec { with { $0.details = text } }
    func secret() -> OptionSpec { with { $0.isSecret = true } }
    func fileNames() -> OptionSpec { with { $0.holdsFileNames = true } }
    func hidden() -> OptionSpec { with { $0.isHidden = true } }
    func negatable() -> OptionSpec { with { $0.isNegatable = true } }
    func peersDefault(_ text: String) -> OptionSpec { with { $0.peersDefault = text } }
    func oldNames(_ names: String...) -> OptionSpec { with { $0.oldNames = names } }
    func unsupported() -> OptionSpec { with { $0.isSupported = false } }
    func unsupportedValues(_ values: String...) -> OptionSpec { with { $0.unsupportedValues = Set(values) } }
    func unsupportedFor(_ command: String) -> OptionSpec { with { $0.unsupportedFor = [command] } }

    /// `value`: what a file or the environment gets in place of what is not supported yet.
    func instead(_ value: String) -> OptionSpec { with { $0.nearestSupported = value } }

    func required(except others: Set<String> = []) -> OptionSpec { with { $0.requiredBy = $0.commands.subtracting(others) } }
    func requiredBy(_ commands: Set<String>) -> OptionSpec { with { $0.requiredBy = commands } }

    /// Valid only when `option` has one of `values`, or any when there are none.
    func when(_ option: String, _ values: String..., otherwise: String? = nil) -> OptionSpec {
        with { $0.dependency = Dependency(option, values, otherwise: otherwise) }
    }
    /// Likewise, for one command only.
    func whenFor(_ command: String, _ option: String, _ values: String...) -> OptionSpec {
        with { $0.dependencyByCommand[command] = Dependency(option, values) }
    }

    func defaultsByCommand(_ values: [String: String]) -> OptionSpec { with { $0.defaultByCommand = values } }
    func choicesByCommand(_ words: [String: [String]]) -> OptionSpec { with { $0.choicesByCommand = words } }
    /// By the value of the option that it depends on.
    func defaultsByDependency(_ values: [String: String]) -> OptionSpec { with { $0.defaultByDependency = values } }
    func rangesByDependency(_ values: [String: ClosedRange<Int64>]) -> OptionSpec { with { $0.rangeByDependency = values } }

    static func section(_ name: String, isSupported: Bool = true, isHidden: Bool = false, _ options: [OptionSpec]) -> [OptionSpec] {
        options.map { option in
            option.with {
                $0.section = name
                if !isSupported { $0.isSupported = false }
                if isHidden { $0.isHidden = true }
            }
        }
    }
}

/// Ranges and words that several options share.
extension OptionSpec.Kind {
    static let port = OptionSpec.Kind.integer(1...65535)
    static let portOrNone = OptionSpec.Kind.integer(0...65535)
}

let KiB: Int64 = 1 << 10
let MiB: Int64 = 1 << 20
let GiB: Int64 = 1 << 30
let TiB: Int64 = 1 << 40
let PiB: Int64 = 1 << 50
let second: Int64 = 1000
let minute = 60 * second
let hour = 60 * minute
let day = 24 * hour
