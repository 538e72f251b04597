// Storage drivers that are programs, as a third party would install them.

import Foundation

public enum Drivers {
    /// A copy of a file of the clone that the account of the servers can run: a clone may lie where user postgres cannot look.
    public static func copy(_ name: String, into folder: TemporaryFolder) throws -> String {
        let path = folder.path(URL(fileURLWithPath: name).lastPathComponent)
        try run(["install", "-m", "755", Checkout.path(name), path], asRoot: true)
        return path
    }

    /// The folder with the programs of the example in Swift, a package of its own: built at the first use.
    public static let swiftExample = Result {
        let scratch = Checkout.path(".build-test/example")
        // As on the command line: where Swift is, what the home is.
        let surroundings = ProcessInfo.processInfo.environment
        try run(
            ["swift", "build", "--package-path", Checkout.path("Examples/swift-driver"), "--scratch-path", scratch],
            environment: surroundings,
            within: 900, asRoot: true)
        return scratch + "/debug"
    }

    /// The text of a plugins.conf with all that is built in, and more.
    public static func plugins(_ storage: String = "", codec: String = "") throws -> String {
        let text = try String(contentsOfFile: Checkout.path("plugins.conf"), encoding: .utf8)
        return text.replacing("[storage]\n", with: "[storage]\n\(storage)\n").replacing("[codec]\n", with: "[codec]\n\(codec)\n")
    }
}
