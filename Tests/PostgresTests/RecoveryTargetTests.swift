import BackstopCore
import Foundation
import Testing

@testable import BackstopCommands

@Suite struct RecoveryTargetTests {
    @Test(arguments: [
        ("1970-01-01 00:00:00+00", 0), ("2026-11-21 03:38:03+00", 1_795_232_283), ("2026-11-21 03:38:03.999+00", 1_795_232_283),
        ("2026-11-21 03:38:03,5+00", 1_795_232_283), ("2026-11-21 05:38:03+02", 1_795_232_283), ("2026-11-20 22:08:03-0530", 1_795_232_283),
        ("2026-11-21 09:08:03+05:30", 1_795_232_283), ("2024-02-29 23:59:59+00", 1_709_251_199), ("2000-03-01 00:00:00-00", 951_868_800),
        ("2026-11-21T03:38:03Z", 1_795_232_283), ("2026-11-21 03:38:03Z", 1_795_232_283), ("2026-11-21T05:38:03.5+02:00", 1_795_232_283),
    ])
    func zones(text: String, seconds: Int64) throws {
        #expect(try RecoveryTarget.unixSeconds(text) == seconds)
    }

    @Test func localZone() throws {
        for seconds in [951_868_800, 1_795_232_283, 1_783_000_000] as [Int64] {
            #expect(try RecoveryTarget.unixSeconds(localTime(seconds, "%Y-%m-%d %H:%M:%S")) == seconds)
            #expect(try RecoveryTarget.unixSeconds(localTime(seconds, "%Y-%m-%d %H:%M:%S%z")) == seconds)
        }
    }

    @Test(arguments: [
        "", "2026-11", "2026-11-21 ", "2026-11-21T", "2026-11-21 03:38", "2026-11-21T03:38:03ZZ", "2026-11-21 03:38:03 +00",
        "2026-11-21 03:38:03.",
        "2026-11-21 03:38:03.+00",
        "2026-13-21 03:38:03", "2026-02-29 03:38:03", "1900-02-29 03:38:03", "2026-11-00 03:38:03", "2026-11-21 24:38:03",
        "2026-11-21 03:60:03",
        "2026-11-21 03:38:60", "2026-11-21 03:38:03+2", "2026-11-21 03:38:03+02:", "2026-11-21 03:38:03+02:3", "2026-11-21 03:38:03+16",
        "2026-11-21 03:38:03+0260", "2026-11-21 03:38:03 UTC", "2026-11-21 03:38:03Z+00", "26-11-21 03:38:03", " 2026-11-21 03:38:03",
        "now",
        "yesterday",
    ])
    func refusals(text: String) {
        #expect(code { () throws(BackupError) in _ = try RecoveryTarget.unixSeconds(text) } == .format)
    }

    /// A day begins at midnight here; and what is written for the server means the same in any time zone.
    @Test(arguments: [
        "2026-11-21", "2026-07-21T03:38:03", "2026-11-21 03:38:03.25", "2026-11-21 03:38:03,25+05:30", "2026-03-01T00:00:00Z",
    ])
    func withOffset(text: String) throws {
        let seconds = try RecoveryTarget.unixSeconds(text)
        let written = try #require(RecoveryTarget.timeWithOffset(text))
        #expect(try RecoveryTarget.unixSeconds(written) == seconds)
        #expect(written.dropFirst(19).contains { "+-".contains($0) }, "\(written)")
        #expect(written.contains(".25") == text.contains("25+") || text.hasSuffix("25"), "\(written)")
        if text.count == 10 { #expect(localTime(seconds, "%Y-%m-%d %H:%M:%S") == text + " 00:00:00") }
    }

    @Test func timelines() throws {
        let known: [(String, TargetTimeline, String)] = [
            ("current", .current, "current"), ("latest", .latest, "latest"), ("2", .number(2), "2"), ("010", .number(10), "10"),
            ("0x10", .number(16), "16"), ("0XA", .number(10), "10"), ("4294967295", .number(.max), "4294967295"),
        ]
        for (text, timeline, written) in known {
            #expect(try TargetTimeline(text) == timeline, "\(text)")
            #expect(timeline.text == written)
        }
        for text in ["", "0", "0x", "-1", "+1", "0x+1", "1 ", "A", "newest", "4294967296"] {
            #expect(code { () throws(BackupError) in _ = try TargetTimeline(text) } == .optionInvalidValue, "\(text)")
        }
    }

    @Test func forms() throws {
        #expect(try RecoveryTarget.xid("0123") == "123")
        for text in ["", "abc", "0", "-1", "+1", "1.5", "18446744073709551616"] {
            #expect(code { () throws(BackupError) in _ = try RecoveryTarget.xid(text) } == .optionInvalidValue, "\(text)")
        }
        #expect(try RecoveryTarget.name(String(repeating: "n", count: 63)).utf8.count == 63)
        for text in ["", String(repeating: "n", count: 64), String(repeating: "é", count: 32)] {
            #expect(code { () throws(BackupError) in _ = try RecoveryTarget.name(text) } == .optionInvalidValue, "\(text)")
        }
    }

    @Test func resolved() throws {
        func resolve(_ type: String, _ target: String?, chosen: Bool = false) throws -> ResolvedTarget {
            try ResolvedTarget(type: type, target: target, timeline: nil, label: "L", isChosen: chosen, now: 1_795_232_283)
        }
        let past = try resolve("time", "2026-11-21 03:38:03+00")
        #expect(past.warnings == [] && past.notes.count == 1)
        let future = try resolve("time", "2026-11-21 03:38:04+00")
        #expect(future.warnings.count == 1 && future.warnings[0].contains("in the future"))
        #expect(try resolve("time", "yesterday").target == "yesterday")
        #expect(try resolve("time", "yesterday").warnings.count == 1)
        for type in ["xid", "name"] {
            #expect(try resolve(type, "12").warnings.first?.contains("latest backup set L is used") == true)
            #expect(try resolve(type, "12", chosen: true).warnings == [])
        }
        #expect(try resolve("lsn", "0/a0").target == "0/A0")
        #expect(try resolve("default", nil) == ResolvedTarget())
    }
}

@Suite struct ServerConfigurationTests {
    @Test(arguments: [
        ("a = b", "a", "b"), ("A=b", "a", "b"), ("  a\tb # c", "a", "b"),
        ("recovery_target_time '2026 x' # y", "recovery_target_time", "2026 x"),
        ("x='it''s'", "x", "it's"), ("a", "a", ""), ("a.b = 'c'", "a.b", "c"), ("include_dir = 'conf.d'\r", "include_dir", "conf.d"),
    ])
    func setting(_ line: String, _ name: String, _ value: String) throws {
        let found = try #require(ServerConfiguration.setting(Array(line.utf8)[...]))
        #expect(found.name == name && found.value == value)
    }

    @Test(arguments: ["", "  ", "# a = b", " #x", "'a' = b", "1 = 2", "= 3"])
    func noSetting(_ line: String) { #expect(ServerConfiguration.setting(Array(line.utf8)[...]) == nil) }

    /// Targets of an earlier recovery become comments, whatever their spelling, and those of other files are taken back.
    @Test func autoFile() throws {
        var options = Options()
        options.values[Options.Name("type")] = .init(.text("name"), .commandLine)
        var settings = RecoverySettings(
            version: .v15, options: options, restoreCommand: "get", stamp: "now",
            target: try ResolvedTarget(type: "name", target: "rp", timeline: "010", label: "L", isChosen: true, now: 0))
        settings.standing = ["recovery_target_xid", "recovery_target_name", "recovery_target_action"]
        let old =
            "work_mem = '1MB'\nRECOVERY_TARGET_TIME = 'x'\n recovery_target_lsn '0/1'\n#recovery_target = 'immediate'\nrecovery_targets = 1\n"
        let lines = String(decoding: try settings.autoFile(Array(old.utf8)), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(lines.filter { $0.contains("# Removed by") }.count == 2)
        #expect(lines.contains("recovery_targets = 1") && lines.contains("#recovery_target = 'immediate'"))
        #expect(
            lines.suffix(5) == [
                "restore_command = 'get'", "recovery_target_name = 'rp'", "recovery_target_timeline = '10'",
                "recovery_target_action = 'pause'",
                "recovery_target_xid = ''",
            ])
    }

    struct Recovery: Sendable, CustomStringConvertible {
        var version = PostgresVersion.v15
        let type: String
        var target: String?
        var timeline: String?
        var options: [String: OptionValue] = [:]
        /// Without the restore_command.
        let lines: [String]
        let signal: String?
        var description: String { "PostgreSQL \(version) \(type) \(options.keys.sorted()) \(timeline ?? "")" }
    }

    /// The lines and their order (repository-format.md section 10.5).
    @Test(arguments: [
        Recovery(type: "default", lines: [], signal: "recovery.signal"),
        Recovery(version: .v11, type: "default", lines: [], signal: nil),
        Recovery(type: "default", timeline: "current", lines: ["recovery_target_timeline = 'current'"], signal: "recovery.signal"),
        Recovery(version: .v11, type: "default", timeline: "current", lines: [], signal: nil),
        Recovery(version: .v11, type: "default", timeline: "2", lines: ["recovery_target_timeline = '2'"], signal: nil),
        Recovery(
            type: "immediate", lines: ["recovery_target = 'immediate'", "recovery_target_timeline = 'current'"], signal: "recovery.signal"),
        Recovery(version: .v11, type: "immediate", lines: ["recovery_target = 'immediate'"], signal: nil),
        Recovery(
            type: "immediate", timeline: "latest", options: ["target-action": .text("shutdown")],
            lines: ["recovery_target = 'immediate'", "recovery_target_action = 'shutdown'", "recovery_target_timeline = 'latest'"],
            signal: "recovery.signal"),
        Recovery(
            type: "xid", target: "0123", timeline: "0x2",
            options: ["target-exclusive": .flag(true), "target-action": .text("promote"), "archive-mode": .text("off")],
            lines: [
                "archive_mode = 'off'", "recovery_target_xid = '123'", "recovery_target_inclusive = 'false'",
                "recovery_target_action = 'promote'", "recovery_target_timeline = '2'",
            ], signal: "recovery.signal"),
        Recovery(type: "lsn", target: "0/a0", lines: ["recovery_target_lsn = '0/A0'"], signal: "recovery.signal"),
        Recovery(
            type: "name", target: "it's \\ e\u{301}", options: ["target-action": .text("pause")],
            lines: ["recovery_target_name = 'it''s \\\\ e\u{301}'"], signal: "recovery.signal"),
        Recovery(type: "standby", lines: [], signal: "standby.signal"),
        Recovery(version: .v11, type: "standby", lines: ["standby_mode = 'on'"], signal: nil),
        Recovery(
            type: "standby", options: ["recovery-option": .map(["primary-conninfo": "host=a", "archive_cleanup_command": "c:\\x"])],
            lines: ["archive_cleanup_command = 'c:\\x'", "primary_conninfo = 'host=a'"], signal: "standby.signal"),
        Recovery(type: "none", lines: [], signal: nil), Recovery(type: "preserve", lines: [], signal: nil),
    ])
    func lines(_ example: Recovery) throws {
        var options = Options()
        options.values[Options.Name("type")] = .init(.text(example.type), .commandLine)
        for (name, value) in example.options { options.values[Options.Name(name)] = .init(value, .commandLine) }
        let settings = RecoverySettings(
            version: example.version, options: options, restoreCommand: "get", stamp: "now",
            target: try ResolvedTarget(
                type: example.type, target: example.target, timeline: example.timeline, label: "L", isChosen: true, now: 0))
        let lines = try settings.lines()
        #expect(lines.filter { $0 != "restore_command = 'get'" } == example.lines)
        #expect(lines.contains("restore_command = 'get'"))
        #expect(settings.signalFile == example.signal)
        if example.version < .v12 {
            #expect(try settings.recoveryFile().hasPrefix("# Recovery settings generated by \(Program.title) restore on now\n"))
        }
    }

    /// Settings that the version does not have.
    @Test(arguments: [
        (PostgresVersion.v11, "archive-mode", OptionValue.text("off")), (.v12, "recovery-option", .map(["standby_mode": "on"])),
        (.v15, "recovery-option", .map(["standby-mode": "on"])),
    ])
    func refusedSettings(_ version: PostgresVersion, _ option: String, _ value: OptionValue) {
        var options = Options()
        options.values[Options.Name(option)] = .init(value, .commandLine)
        let settings = RecoverySettings(
            version: version, options: options, restoreCommand: "get", stamp: "now", target: ResolvedTarget())
        #expect(code { () throws(BackupError) in _ = try settings.lines() } == .optionInvalid)
    }

    /// Operators bring a restore_command of their own, by either spelling of its name: there is no other one then.
    @Test(arguments: ["restore_command", "restore-command"])
    func givenRestoreCommand(_ name: String) throws {
        var options = Options()
        options.values[Options.Name("type")] = .init(.text("standby"), .commandLine)
        options.values[Options.Name("recovery-option")] = .init(.map([name: "fetch --from='a b' %f \"%p\""]), .commandLine)
        let settings = RecoverySettings(
            version: .v15, options: options, restoreCommand: "get", stamp: "now",
            target: try ResolvedTarget(type: "standby", target: nil, timeline: nil, label: "L", isChosen: true, now: 0))
        #expect(try settings.lines() == ["restore_command = 'fetch --from=''a b'' %f \"%p\"'"])
    }
}
