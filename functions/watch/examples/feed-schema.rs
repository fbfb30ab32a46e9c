//! Prints the JSON Schema of feed files.
#![allow(clippy::print_stdout)]

fn main() {
    print!("{}", watch::feeds::schema());
}
