// The types of values (cli.md section 1.4): what is accepted, what is refused and with which exit status.

@testable import BackstopCore
import Testing

@Suite struct ValueTests {
    private func parse(_ kind: OptionSpec.Kind, _ texts: String...) throws(BackupError) -> OptionValue {
        let option = OptionSpec("x", kind, .global, commands: ["c"], summary: "x")
        return try OptionValueParser(option: option, command: "c", shown: "x").parse(texts)
    }

    private func status(_ kind: OptionSpec.Kind, _ texts: String...) -> Int32 {
        let option = OptionSpec("x", kind, .global, commands: ["c"], summary: "x")
        do {
            _ = try OptionValueParser(option: option, command: "c", shown: "x").parse(texts)
            return 0
        } catch { return error.code.exitStatus }
    }

    @Test func paths() throws {
        #expect(try parse(.path, "/a/b/") == .text("/a/b"))
        #expect(try parse(.path, "/") == .text("/"))
        for text in ["a", "./a", "/a//b", "//", ""] { #expect(status(.path, text) == 32, "\(text)") }
    }

    @Test func booleans() throws {
        #expect(try parse(.boolean, "y") == .flag(true))
        #expect(try parse(.boolean, "n") == .flag(false))
        for text in ["true", "1", "yes", "Y", "N", "on", ""] { #expect(status(.boolean, text) == 32, "\(text)") }
    }

    @Test func integers() throws {
        #expect(try parse(.integer(-5...10), "-5") == .number(-5))
        for text in ["-6", "11", "1.0", "0x1", "+1", " 1", "a", "", "99999999999999999999"] {
            #expect(status(.integer(-5...10), text) == 32, "\(text)")
        }
    }

    @Test func sizes() throws {
        for text in ["1048576", "1048576B", "1048576b", "1024k", "1024KB", "1024KiB", "1m", "1M", "1MB", "1mb", "1MiB", "1mib"] {
            #expect(try parse(.size(0...(.max)), text) == .number(1 << 20), "\(text)")
        }
        #expect(try parse(.size(0...(.max)), "4PiB") == .number(4 << 50))
        #expect(try parse(.size(0...(.max)), "3t") == .number(3 << 40))
        for text in ["1.5G", "1 G", "G", "1xB", "1BB", "1iB", "1BiB", "1E", "-1", "", "1Mi", "9223372036854775807K"] {
            #expect(status(.size(0...(.max)), text) == 32, "\(text)")
        }
        #expect(status(.size(0...10), "11") == 32)
        #expect(status(.size(0...100, allowed: [16, 32]), "17") == 32)
    }

    @Test func times() throws {
        let expected: [(String, Int64)] = [
            ("1", 1000), ("100ms", 100), ("2s", 2000), ("3m", 180_000), ("4h", 14_400_000), ("5d", 432_000_000), ("1w", 604_800_000),
        ]
        for (text, milliseconds) in expected { #expect(try parse(.time(0...(.max)), text) == .number(milliseconds), "\(text)") }
        for text in [".1", "0.5", "1.5m", "s", "1x", "1 s", "-1", "1M", ""] { #expect(status(.time(0...(.max)), text) == 32, "\(text)") }
    }

    @Test func choices() throws {
        #expect(try parse(.choice(["gz", "zst"]), "gz") == .text("gz"))
        let error = try #require(failure(backup + " --compress-type=zts"))
        #expect(error.code == .optionInvalidValue)
        #expect(error.hint == "did you mean 'zst'?\nallowed are none, bz2, gz, lz4, zst.")
        #expect(status(.choice(["gz"]), "GZ") == 32)
    }

    @Test func listsAndMaps() throws {
        #expect(try parse(.list, "a", "b=c", "a") == .list(["a", "b=c", "a"]))
        #expect(try parse(.map, "a=b=c", "d=") == .map(["a": "b=c", "d": ""]))
        #expect(status(.map, "a") == 31)
        #expect(status(.map, "=a") == 31)
    }

    @Test func textFormsAreReadAgainAsTheSame() throws {
        for number: Int64 in [0, 1, 1000, 1023, 1024, 65536, 5 << 30, 1 << 50, 3 << 55] {
            #expect(parseSize(exactSize(number)) == number)
            #expect(parseTime(timeText(number)) == number)
        }
    }

    @Test func hintsTellWhatIsAllowed() {
        #expect(failure(backup + " --process-max=0")?.hint == "allowed is 1 to 999.")
        #expect(failure(backup + " --db-timeout=8d")?.hint == "allowed is 100ms to 7d.")
        #expect(failure(backup + " --buffer-size=3MiB")?.hint?.hasPrefix("allowed are 16KiB, 32KiB,") == true)
        #expect(failure(backup + " --compress-type=bz2 --compress-level=0")?.hint == "allowed is 1 to 9.")
        #expect(failure(backup + " --log-path=log")?.message == "'log' is not allowed for option 'log-path'")
    }

    @Test func aWrongSecretIsNotShown() throws {
        let option = OptionSpec("x", .integer(1...2), .global, commands: ["c"], summary: "x")
        var secret = option
        secret.isSecret = true
        do {
            _ = try OptionValueParser(option: secret, command: "c", shown: "x").parse(["hush"])
            Issue.record("accepted")
        } catch { #expect(!"\(error)".contains("hush")) }
    }
}
