#!/usr/bin/perl
# Net::SMPP as a minimal router: customers bind to one port, each submit_sm goes to the supplier and
# its answer back. No rules, no windows, no receipts: the least that a router must do with this library.
#
# Usage: net_smpp_router.pl LISTEN_PORT SUPPLIER_PORT BINDS     both on 127.0.0.1; prints "ready" when bound
use strict;
use warnings;
use IO::Select;
use Net::SMPP;

$| = 1;
$SIG{PIPE} = 'IGNORE';
$SIG{TERM} = sub { exit 0 };

my ($listen_port, $supplier_port, $binds) = @ARGV;
my @fields = qw(service_type source_addr_ton source_addr_npi source_addr dest_addr_ton dest_addr_npi
  destination_addr esm_class protocol_id priority_flag schedule_delivery_time validity_period
  registered_delivery replace_if_present_flag data_coding sm_default_msg_id short_message);

my $listener = Net::SMPP->new_listen('127.0.0.1', port => $listen_port) or die "listen: $!\n";
my @suppliers = map {
    my ($smpp, $answer) = Net::SMPP->new_transceiver('127.0.0.1', port => $supplier_port,
        system_id => 'sy', password => 'secret');
    die "supplier: $!\n" if !$smpp || !$answer || $answer->{status};
    $smpp;
} 1 .. $binds;
print "ready\n";

my $select = IO::Select->new($listener, @suppliers);
my %is_supplier = map { fileno $_ => 1 } @suppliers;
my %supplier_of;    # file number of a customer -> its supplier
my %asked;          # file number of a supplier -> sequence -> [customer, its sequence]
my ($customers, $seq_last) = (0, 0);

sub drop {
    my ($smpp) = @_;
    my $number = fileno $smpp;
    $select->remove($smpp);
    delete $supplier_of{$number};
    $smpp->close;
}

sub on_customer {
    my ($smpp, $pdu) = @_;
    my $cmd = $pdu->{cmd};
    if ($cmd == Net::SMPP::CMD_submit_sm) {
        my $supplier = $supplier_of{ fileno $smpp };
        my $seq      = ++$seq_last & 0x7FFFFFFF;
        $asked{ fileno $supplier }{$seq} = [$smpp, $pdu->{seq}];
        $supplier->submit_sm(seq => $seq, async => 1, map { $_ => $pdu->{$_} } @fields);
    }
    elsif ($cmd == Net::SMPP::CMD_bind_transceiver) {
        $smpp->bind_transceiver_resp(seq => $pdu->{seq}, status => 0, system_id => 'perl');
    }
    elsif ($cmd == Net::SMPP::CMD_enquire_link) {
        $smpp->enquire_link_resp(seq => $pdu->{seq}, status => 0);
    }
    elsif ($cmd == Net::SMPP::CMD_unbind) {
        $smpp->unbind_resp(seq => $pdu->{seq}, status => 0);
        drop($smpp);
    }
}

sub on_supplier {
    my ($smpp, $pdu) = @_;
    my $cmd = $pdu->{cmd};
    if ($cmd == Net::SMPP::CMD_submit_sm_resp) {
        my $who = delete $asked{ fileno $smpp }{ $pdu->{seq} } or return;
        my ($customer, $seq) = @$who;
        $customer->submit_sm_resp(seq => $seq, status => $pdu->{status}, message_id => $pdu->{message_id})
          if defined fileno $customer;
    }
    elsif ($cmd == Net::SMPP::CMD_enquire_link) {
        $smpp->enquire_link_resp(seq => $pdu->{seq}, status => 0);
    }
    elsif ($cmd == Net::SMPP::CMD_unbind) {
        $smpp->unbind_resp(seq => $pdu->{seq}, status => 0);
        drop($smpp);
    }
}

while (1) {
    for my $handle ($select->can_read) {
        if ($handle == $listener) {
            my $smpp = $listener->accept or next;
            $supplier_of{ fileno $smpp } = $suppliers[$customers++ % @suppliers];
            $select->add($smpp);
            next;
        }
        next if !defined fileno $handle;
        my $pdu = $handle->read_pdu;
        if    (!$pdu)                            { drop($handle); }
        elsif ($is_supplier{ fileno $handle })   { on_supplier($handle, $pdu); }
        else                                     { on_customer($handle, $pdu); }
    }
}
