import BackstopCore
import Foundation
import Testing

@testable import BackstopCommands

@Suite struct RecoveryTargetTests {
    @Test(arguments: [
        ("1970-01-01 00:00:00+00", 0), ("2026-11-21 03:38:03+00", 1_795_232_283), ("2026-11-21 03:38:03.999+00", 1_795_232_283),
        ("2026-11-21 03:38:03,5+00", 1_795_232_283), ("2026-11-21 05:38:03+02", 1_795_232_283), ("2026-11-20 22:08:03-0530", 1_795_232_283),
        ("2026-11-21 09:08:03+05:30", 1_795_232_283), ("2024-02-29 23:59:59+00", 1_709_251_199), ("2000-03-01 00:00:00-00", 951_868_800),
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
        "", "2026-11-21", "2026-11-21 03:38", "2026-11-21T03:38:03", "2026-11-21 03:38:03 +00", "2026-11-21 03:38:03.",
        "2026-11-21 03:38:03.+00",
        "2026-13-21 03:38:03", "2026-02-29 03:38:03", "1900-02-29 03:38:03", "2026-11-00 03:38:03", "2026-11-21 24:38:03",
        "2026-11-21 03:60:03",
        "2026-11-21 03:38:60", "2026-11-21 03:38:03+2", "2026-11-21 03:38:03+02:", "2026-11-21 03:38:03+02:3", "2026-11-21 03:38:03+16",
        "2026-11-21 03:38:03+0260", "2026-11-21 03:38:03 UTC", "2026-11-21 03:38:03Z", "26-11-21 03:38:03", " 2026-11-21 03:38:03", "now",
        "yesterday",
    ])
    func refusals(text: String) {
        #expect(code { () throws(BackupError) in _ = try RecoveryTarget.unixSeconds(text) } == .format)
    }
}
