import EndToEndSupport
import Testing

/// Commands whose output is what they are for: when it cannot be written, whoever reads the status must know.
@Suite struct OutputTests {
    @Test(arguments: [
        ["info"], ["--output=json", "info"], ["help"], ["help", "backup"], ["version"], ["--output=num", "version"],
        ["driver", "list"], ["driver", "options", "s3"], ["driver", "check", "posix"],
    ])
    func notWritten(_ command: [String]) throws {
        let bench = try Workbench()
        let command =
            ["help", "driver"].contains(command[0]) || command.last == "version" ? [bench.tool.path] + command : bench.command(command)
        for (target, reason) in [(">/dev/full", "[28]"), (">&-", "[9]"), (">&3", "[32]")] {
            // 3 is a pipe whose reader is gone.
            let script = "mkfifo pipe; : <pipe & exec 3>pipe; wait; rm pipe; \"$@\" \(target); echo $? >&2"
            let outcome = try attempt(["sh", "-c", script, "sh"] + command, in: bench.folder.path)
            #expect(outcome.text.contains("ERROR: [064]: unable to write to standard output: \(reason)"), "\(target): \(outcome)")
            #expect(outcome.text.split(separator: "\n").contains("64"), "\(target): \(outcome)")
        }
        #expect(try attempt(command, in: bench.folder.path).status == 0)
    }
}
