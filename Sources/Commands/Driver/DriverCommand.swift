// driver: what there is to store and to encode with, what options a driver has, and whether it keeps the contract.

import BackstopConformance
import BackstopCore
import Glibc

enum DriverCommand {
    static func run(_ context: RunContext) async throws(BackupError) {
        let name = context.positional.dropFirst().first
        switch (context.positional.first, name) {
        case ("list", nil): writeAll(STDOUT_FILENO, list(context.registry))
        case ("options", let name?): writeAll(STDOUT_FILENO, try await options(try context.registry.storage(name), context))
        case ("check", let name?): try await check(try context.registry.storage(name), context)
        case ("list", _?): throw BackupError(.parameterInvalid, "'driver list' takes no name")
        case ("options", nil), ("check", nil):
            throw BackupError(
                .parameterRequired, "'driver \(context.positional[0])' needs the name of a driver",
                hint: "there are: \(context.registry.storages.keys.sorted().joined(separator: ", ")).")
        case (let other, _):
            throw BackupError(
                .parameterInvalid, "unknown action '\(other ?? "")'", hint: "write driver list, driver options NAME or driver check NAME.")
        }
    }

    private static func list(_ registry: Registry) -> String {
        var lines: [String] = []
        func section(_ title: String, _ names: [String]) { lines += ["\(title):"] + names.sorted().map { "  \($0)" } }
        section("storage", registry.storages.values.map { $0.describe == nil ? $0.name : "\($0.name) (not of pgbackstop)" })
        section("codec", registry.codecs.values.map { $0.suffix.isEmpty ? $0.name : "\($0.name) (files end in \($0.suffix))" })
        section("cipher", Array(registry.ciphers.keys))
        section("checksum", Array(registry.checksums.keys))
        return lines.joined(separator: "\n") + "\n"
    }

    private static func options(_ driver: StorageDriver, _ context: RunContext) async throws(BackupError) -> String {
        var rows: [(name: String, text: String)] = []
        if let describe = driver.describe {
            for option in try await describe(context.options, context.driverContext()).options {
                var notes = [option.kind.rawValue]
                if option.isRequired { notes.append("required") }
                if option.isSecret { notes.append("secret") }
                if let text = option.defaultValue { notes.append("default: \(option.isSecret ? "<redacted>" : text)") }
                rows.append(("repoN-\(driver.name)-\(option.name)", "\(option.summary) (\(notes.joined(separator: ", ")))"))
            }
        } else {
            for option in OptionTable.standard().options where option.group == .repo && !option.isHidden {
                guard option.dependency?.option == "repo-type", option.dependency?.values.contains(driver.name) == true else { continue }
                rows.append((option.pattern, option.summary + (option.isSecret ? " (secret)" : "")))
            }
        }
        guard !rows.isEmpty else { return "driver '\(driver.name)' has no options of its own\n" }
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { $0.name + String(repeating: " ", count: width - $0.name.count + 2) + $0.text + "\n" }.joined()
    }

    /// Runs the whole conformance suite below a folder of its own, which is removed at the end.
    private static func check(_ driver: StorageDriver, _ context: RunContext) async throws(BackupError) {
        let storage = try await driver.open(context.options, 1, context.driverContext())
        let prefix = Key("driver-check-" + String(UInt32.random(in: .min ... .max), radix: 16))
        let subject = StorageSubject(name: driver.name, storage: storage, prefix: prefix)
        writeAll(STDOUT_FILENO, "driver '\(driver.name)' at \(storage.location), in \(prefix), random data of seed \(subject.seed)\n")
        var failures = 0
        for check in storageChecks {
            try Cancellation.check()
            let line: String
            do throws(ConformanceFailure) {
                switch try await check.run(on: subject) {
                case .passed: line = "ok    \(check.name)"
                case .notApplicable(let reason): line = "skip  \(check.name): \(reason)"
                }
            } catch {
                failures += 1
                line = "FAIL  \(check.name): \(error.reason)"
            }
            writeAll(STDOUT_FILENO, line + "\n")
        }
        try await storage.remove(try await storage.list(prefix, .all).filter { $0.kind == .file }.map(\.key))
        guard failures == 0 else {
            throw BackupError(
                .commandFailed, "driver '\(driver.name)' fails \(failures) of \(storageChecks.count) checks",
                hint: "do not keep backups with it: docs/driver-protocol.md says what is wanted.")
        }
        writeAll(STDOUT_FILENO, "driver '\(driver.name)' keeps the contract: \(storageChecks.count) checks\n")
    }
}
