// The program as it is shipped: with the drivers that are built in.

import BackstopProgram

@main
struct Main {
    static func main() { runProgram() }
}
